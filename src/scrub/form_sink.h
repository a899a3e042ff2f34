// Where the spellings of a value go.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

#include "core/secret_memory.h"
#include "qarion/secrets/secret.h"
#include "scrub/forms.h"

namespace qarion::secrets::scrub {

// Which texts were seen, by their 64-bit hashes: among the spellings of a value of a thousand lines
// two would be taken for one in one of 10^10 such values. In secret memory: who has the hash of a
// value can try guesses.
class SeenTexts {
 public:
  SeenTexts() : slots_(64) {}

  // Whether it was not there in this role.
  bool Insert(std::string_view text, std::uint64_t role = 0);

 private:
  bool InsertHash(std::uint64_t hash);
  void Double();

  core::SecretVector<std::uint64_t> slots_;  // 0 where free; a power of two of them
  std::size_t count_ = 0;
};

// Passes each spelling on once, if its form is wanted.
class FormSink {
 public:
  using Emit = std::function<void(const FormText&)>;

  // `value_size` bounds how much encoders may write.
  FormSink(const FormRules& rules, const Emit& emit, std::size_t value_size);

  bool Wants(ScrubForm form) const { return rules_.forms.Has(form); }
  // Of a value, line or part in all its forms.
  std::size_t min_length() const;

  void Add(const FormText& text);
  void Add(ScrubForm form, std::string_view text) { Add({.text = text, .form = form}); }

  // Adds what `write` appends to a SecretBuffer; nothing more once a very long value has been
  // written often enough.
  template <typename Write>
  void AddWritten(FormText text, Write write) {
    if (room_ == 0) return;
    scratch_.Clear();
    write(scratch_);
    text.text = scratch_.Reveal();
    if (RoomOf(text) <= room_) {
      Add(text);
    } else {
      room_ = 0;
    }
  }
  template <typename Write>
  void AddWritten(ScrubForm form, Write write) {
    AddWritten(FormText{.form = form}, write);
  }

 private:
  // What it takes to look for a text, and to keep it.
  static std::size_t RoomOf(const FormText& text) {
    constexpr std::size_t kRoomOfEach = 64;
    return kRoomOfEach + text.text.size();
  }

  const FormRules& rules_;
  const Emit& emit_;
  std::size_t room_;  // in bytes
  SecretBuffer scratch_{512};
  SeenTexts seen_;
};

}  // namespace qarion::secrets::scrub
