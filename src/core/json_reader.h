// Goes through a JSON text (RFC 8259) and says where each of its parts is.
#pragma once

#include <bitset>
#include <cstddef>
#include <string>
#include <string_view>

#include "core/utf8.h"
#include "qarion/secrets/error.h"

namespace qarion::secrets::core {

enum class JsonEvent {
  kBeginObject,
  kEndObject,
  kBeginArray,
  kEndArray,
  kName,  // of a member; its value comes next
  kString,
  kNumber,
  kBool,
  kNull,
  kEnd,    // of the text
  kWrong,  // not JSON; Problem() says why
};

// Strict, but for halves of surrogate pairs in escapes, which the grammar allows. Takes time in
// proportion to the text, and memory of its own that does not grow. The text must outlive it.
class JsonReader {
 public:
  explicit JsonReader(std::string_view text, std::size_t deepest = kDeepest) noexcept
      : text_(text), deepest_(deepest), is_ascii_(IsAscii(text)) {}

  // How deep a text may be nested.
  static constexpr std::size_t kDeepest = 100;

  // The next part. After kEnd and kWrong nothing comes.
  JsonEvent Next() noexcept;

  // The part that Next() gave, a string or a name with its quotes.
  std::size_t begin() const noexcept { return begin_; }
  std::size_t end() const noexcept { return at_; }
  // What is between the quotes of a string or name, and whether escapes are in it.
  std::string_view inside() const noexcept { return text_.substr(begin_ + 1, at_ - begin_ - 2); }
  bool has_escapes() const noexcept { return has_escapes_; }
  // What a string or name says. `room` keeps it where that is not as it is written; half of a
  // surrogate pair comes out as bytes that are not UTF-8.
  std::string_view Text(std::string& room) const;

  // After kWrong: kBadData, without content: "is not JSON, at byte 17".
  Error Problem() const;

 private:
  enum class Expected {
    kValue,
    kFirstElement,  // or ]
    kFirstName,     // or }
    kColon,         // and a value
    kNextOrEnd,     // a comma or the end of what is open; the end of the text where nothing is
  };

  JsonEvent Wrong(const char* problem) noexcept;
  char Peek() const noexcept { return at_ < text_.size() ? text_[at_] : '\0'; }
  void SkipWhite() noexcept;
  JsonEvent ReadValue() noexcept;
  JsonEvent ReadName() noexcept;
  JsonEvent ReadNextOrEnd() noexcept;
  JsonEvent Open(bool is_object) noexcept;
  JsonEvent Close() noexcept;
  bool ReadString() noexcept;
  bool ReadNumber() noexcept;
  JsonEvent ReadWord(std::string_view word, JsonEvent event) noexcept;

  std::string_view text_;
  std::size_t deepest_;  // kDeepest at most
  bool is_ascii_;        // so that its strings need no look
  std::size_t at_ = 0;
  std::size_t begin_ = 0;
  bool has_escapes_ = false;
  Expected expected_ = Expected::kValue;
  std::size_t depth_ = 0;
  std::bitset<kDeepest> is_object_;  // of each object and array that is open
  const char* problem_ = nullptr;
};

}  // namespace qarion::secrets::core
