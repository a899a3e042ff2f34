#include "core/json_document.h"

#include <algorithm>
#include <utility>

#include "core/json_text.h"
#include "core/secret_memory.h"

namespace qarion::secrets::core {
namespace {

class SecretResource final : public json::memory_resource {
  // NOLINTBEGIN(readability-identifier-naming): as the base class has them
  void* do_allocate(std::size_t size, std::size_t) override { return AllocateSecretMemory(size); }
  void do_deallocate(void* memory, std::size_t size, std::size_t) override {
    ReleaseSecretMemory(memory, size);
  }
  bool do_is_equal(const json::memory_resource& other) const noexcept override {
    return this == &other;
  }
  // NOLINTEND(readability-identifier-naming)
};

SecretResource* Resource() {
  static SecretResource resource;
  return &resource;
}

const json::value& ValueOf(const void* value) { return *static_cast<const json::value*>(value); }

// Looks along `text` from the first byte of a value, or of white space before it.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  char Peek() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) {
      ++at_;
    }
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  void Skip() {
    if (at_ < text_.size()) ++at_;
  }

  // The value that begins here, without white space around it.
  std::string_view TakeValue() {
    const char first = Peek();
    const std::size_t begin = at_;
    if (first == '"') {
      SkipString();
    } else if (first == '{' || first == '[') {
      SkipNested();
    } else {
      at_ = std::min(text_.find_first_of(",}] \t\r\n", at_), text_.size());
    }
    return text_.substr(begin, at_ - begin);
  }

 private:
  void SkipString() {
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\') ++at_;
    }
    at_ = std::min(at_ + 1, text_.size());
  }
  void SkipNested() {
    int depth = 0;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        SkipString();
        continue;
      }
      ++at_;
      if (c == '{' || c == '[') ++depth;
      if ((c == '}' || c == ']') && --depth == 0) return;
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

struct JsonDocument::Tree {
  json::value root;
};

bool JsonValue::IsNull() const noexcept { return exists() && ValueOf(value_).is_null(); }
bool JsonValue::IsObject() const noexcept { return exists() && ValueOf(value_).is_object(); }
bool JsonValue::IsNumber() const noexcept { return exists() && ValueOf(value_).is_number(); }

JsonValue JsonValue::operator[](std::string_view name) const noexcept {
  if (!IsObject()) return {};
  return JsonValue(ValueOf(value_).get_object().if_contains({name.data(), name.size()}));
}

std::optional<std::string_view> JsonValue::Text() const noexcept {
  if (!exists() || !ValueOf(value_).is_string()) return std::nullopt;
  const json::string& text = ValueOf(value_).get_string();
  return std::string_view(text.data(), text.size());
}

std::optional<std::int64_t> JsonValue::Integer() const noexcept {
  if (!exists() || !ValueOf(value_).is_int64()) return std::nullopt;
  return ValueOf(value_).get_int64();
}

std::optional<bool> JsonValue::Bool() const noexcept {
  if (!exists() || !ValueOf(value_).is_bool()) return std::nullopt;
  return ValueOf(value_).get_bool();
}

std::vector<JsonValue> JsonValue::Elements() const {
  std::vector<JsonValue> elements;
  if (!exists() || !ValueOf(value_).is_array()) return elements;
  for (const json::value& element : ValueOf(value_).get_array()) {
    elements.push_back(JsonValue(&element));
  }
  return elements;
}

std::vector<std::string_view> JsonValue::Names() const {
  std::vector<std::string_view> names;
  if (!IsObject()) return names;
  for (const auto& member : ValueOf(value_).get_object()) {
    names.emplace_back(member.key().data(), member.key().size());
  }
  return names;
}

JsonDocument::JsonDocument(std::unique_ptr<Tree> tree) noexcept : tree_(std::move(tree)) {}
JsonDocument::JsonDocument(JsonDocument&&) noexcept = default;
JsonDocument& JsonDocument::operator=(JsonDocument&&) noexcept = default;
JsonDocument::~JsonDocument() = default;

JsonValue JsonDocument::root() const noexcept { return JsonValue(&tree_->root); }

[[gnu::noinline]] Result<JsonDocument> JsonDocument::ParseIntoTree(std::string_view text,
                                                                   const std::string& origin) {
  json::parse_options options;
  options.max_depth = kMaxJsonDepth;
  json::parser parser(json::storage_ptr(Resource()), options);
  parser.reset(json::storage_ptr(Resource()));
  json::error_code error;
  const std::size_t consumed = parser.write_some(text.data(), text.size(), error);
  if (!error && consumed < text.size()) error = json::error::extra_data;
  if (error) {
    return Error(ErrorCode::kBadData, origin + JsonPosition(text, consumed) + ": " +
                                          ExplainJsonError(error, text, consumed));
  }
  // The root is heap memory of ours: a value moves without copying what it holds.
  return JsonDocument(std::make_unique<Tree>(Tree{parser.release()}));
}

Result<JsonDocument> JsonDocument::Parse(std::string_view text, const std::string& origin) {
  auto parsed = ParseIntoTree(text, origin);
  WipeJsonStack();
  return parsed;
}

std::string_view JsonMemberText(std::string_view text, std::string_view name) noexcept {
  Cursor cursor(text);
  std::string_view found;
  if (cursor.Peek() != '{') return found;
  cursor.Skip();
  while (cursor.Peek() == '"') {
    const std::string_view key = cursor.TakeValue();
    if (cursor.Peek() != ':') break;
    cursor.Skip();
    const std::string_view value = cursor.TakeValue();
    if (key.size() >= 2 && key.substr(1, key.size() - 2) == name) found = value;
    if (cursor.Peek() != ',') break;
    cursor.Skip();
  }
  return found;
}

}  // namespace qarion::secrets::core
