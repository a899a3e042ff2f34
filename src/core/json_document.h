// An answer in JSON (RFC 8259), parsed into secret memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "qarion/secrets/result.h"

namespace qarion::secrets::core {

// A value inside a JsonDocument, or its absence: whatever is asked of an absent value, or of one of
// another kind, is absent too. So a path through an answer needs one look at its end.
//
// Lifetime: that of the document. Thread-safety: const members from several threads.
class JsonValue {
 public:
  JsonValue() noexcept = default;

  bool exists() const noexcept { return value_ != nullptr; }
  bool IsNull() const noexcept;
  bool IsObject() const noexcept;
  bool IsNumber() const noexcept;

  // A member of an object.
  JsonValue operator[](std::string_view name) const noexcept;

  std::optional<std::string_view> Text() const noexcept;
  std::optional<std::int64_t> Integer() const noexcept;
  std::optional<bool> Bool() const noexcept;

  // The elements of an array; the names of an object's members. Empty for other kinds.
  std::vector<JsonValue> Elements() const;
  std::vector<std::string_view> Names() const;

 private:
  friend class JsonDocument;
  explicit JsonValue(const void* value) noexcept : value_(value) {}
  const void* value_ = nullptr;
};

class JsonDocument {
 public:
  // Nothing of the text stays behind in unprotected memory. Of a member that occurs twice the last
  // counts. kBadData: not JSON, invalid UTF-8, nesting deeper than 32; with line and column, never
  // with content. `origin` begins the error's text.
  static Result<JsonDocument> Parse(std::string_view text, const std::string& origin);

  JsonDocument(JsonDocument&&) noexcept;
  JsonDocument& operator=(JsonDocument&&) noexcept;
  ~JsonDocument();

  JsonValue root() const noexcept;
  JsonValue operator[](std::string_view name) const noexcept { return root()[name]; }

 private:
  struct Tree;
  explicit JsonDocument(std::unique_ptr<Tree> tree) noexcept;
  static Result<JsonDocument> ParseIntoTree(std::string_view text, const std::string& origin);
  std::unique_ptr<Tree> tree_;
};

// The text of a member of the outermost object of `text`, which must be what JsonDocument::Parse
// accepted: so that numbers can be read as they were written. Empty where there is no such member;
// of a member that occurs twice, the last.
std::string_view JsonMemberText(std::string_view text, std::string_view name) noexcept;

}  // namespace qarion::secrets::core
