#include "core/shell_words.h"

#include <utility>

namespace qarion::secrets::core {
namespace {

constexpr std::string_view kWhiteSpace = " \t\r\n";

}  // namespace

std::optional<std::vector<std::string>> SplitWords(std::string_view text) {
  std::vector<std::string> words;
  std::optional<std::string> word;  // the one at hand
  char quote = 0;                   // that is open
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote == 0 && kWhiteSpace.find(c) != std::string_view::npos) {
      if (word) words.push_back(*std::exchange(word, std::nullopt));
      continue;
    }
    if (!word) word.emplace();
    if (c == '\\' && quote != '\'') {
      if (++i == text.size()) return std::nullopt;
      // In quotation marks it escapes itself and them alone.
      if (quote != 0 && text[i] != '"' && text[i] != '\\') *word += '\\';
      *word += text[i];
    } else if (quote != 0 && c == quote) {
      quote = 0;
    } else if (quote == 0 && (c == '"' || c == '\'')) {
      quote = c;
    } else {
      *word += c;
    }
  }
  if (quote != 0) return std::nullopt;
  if (word) words.push_back(std::move(*word));
  return words;
}

std::string ShellQuoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

}  // namespace qarion::secrets::core
