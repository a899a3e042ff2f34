// What a scrubber has to answer, in a way that is obviously right and slow.
#pragma once

#include <cctype>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "qarion/secrets/scrubber.h"
#include "scrub/forms.h"

namespace qarion::secrets::scrub {

// Marks the bytes of every occurrence of literal values.
inline void MarkValues(std::span<const std::string> values, std::string_view text,
                       std::vector<bool>& covered) {
  for (const std::string& value : values) {
    if (value.empty()) continue;
    for (std::size_t begin = 0; begin + value.size() <= text.size(); ++begin) {
      if (text.substr(begin, value.size()) != value) continue;
      for (std::size_t i = 0; i < value.size(); ++i) covered[begin + i] = true;
    }
  }
}

// Writes one mask for each run of marked bytes.
inline std::string Masked(std::string_view text, const std::vector<bool>& covered) {
  std::string scrubbed;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!covered[i]) {
      scrubbed += text[i];
    } else if (i == 0 || !covered[i - 1]) {
      scrubbed += kMask;
    }
  }
  return scrubbed;
}

// A form as the guarantee has it.
struct OracleForm {
  std::string text;
  bool is_base64 = false;
  bool only_as_word = false;
  Base64Edges edges;
};

inline int OracleBase64Value(char c) {
  static constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  if (c == '-') c = '+';
  if (c == '_') c = '/';
  const std::size_t value = kAlphabet.find(c);
  return value == std::string_view::npos ? -1 : static_cast<int>(value);
}

// Marks the bytes of every occurrence of forms: words where no letter, digit, underscore or byte of
// a longer character is beside them, base64 with the characters beside it that carry its bits. In
// `inside`, if given, all of their bytes but the first.
inline void MarkForms(std::span<const OracleForm> forms, std::string_view text,
                      std::vector<bool>& covered, std::vector<bool>* inside = nullptr) {
  const auto is_word = [&](std::size_t at) {
    const auto c = static_cast<unsigned char>(text[at]);
    return c >= 0x80 || c == '_' || std::isalnum(c) != 0;
  };
  for (const OracleForm& form : forms) {
    for (std::size_t begin = text.find(form.text); begin != std::string_view::npos;
         begin = text.find(form.text, begin + 1)) {
      std::size_t first = begin;
      std::size_t end = begin + form.text.size();
      if (form.only_as_word) {
        if (begin > 0 && is_word(begin - 1)) continue;
        if (end < text.size() && is_word(end)) continue;
      }
      if (form.is_base64) {
        const auto& edges = form.edges;
        if (edges.lead_bits != 0 && begin > 0) {
          const int value = OracleBase64Value(text[begin - 1]);
          if (value >= 0 && value % (1 << edges.lead_bits) == edges.lead_value) --first;
        }
        if (edges.trail_bits != 0 && end < text.size()) {
          const int value = OracleBase64Value(text[end]);
          const int others = 1 << (6 - edges.trail_bits);
          if (value >= 0 && value / others == edges.trail_value) {
            ++end;
            const std::size_t padding = value % others != 0 ? 0 : edges.trail_bits == 2 ? 2 : 1;
            for (std::size_t i = 0; i < padding && end < text.size() && text[end] == '='; ++i)
              ++end;
          }
        }
      }
      for (std::size_t i = first; i < end; ++i) covered[i] = true;
      if (inside == nullptr) continue;
      for (std::size_t i = first + 1; i < end; ++i) (*inside)[i] = true;
    }
  }
}

inline std::string OracleScrub(std::span<const std::string> values, std::string_view text) {
  std::vector<bool> covered(text.size());
  MarkValues(values, text, covered);
  return Masked(text, covered);
}

// Marks base64 in lines: wherever a run of exactly 64 or 76 characters ends a line, it is joined
// with what the next line begins with, blanks left out, and so on as long as lines are as long.
// What is found there is marked with the line breaks and blanks in it.
inline void MarkBlocks(std::span<const OracleForm> base64, std::string_view text,
                       std::vector<bool>& covered) {
  const auto is_base64 = [&](std::size_t at) {
    return at < text.size() && OracleBase64Value(text[at]) >= 0;
  };
  const auto line_break = [&](std::size_t at) -> std::size_t {
    if (text.substr(at, 1) == "\n") return 1;
    return text.substr(at, 2) == "\r\n" ? 2 : 0;
  };
  for (std::size_t end = 0; end < text.size(); ++end) {
    if (line_break(end) == 0 || (text[end] == '\n' && end > 0 && text[end - 1] == '\r')) continue;
    std::size_t width = 0;
    while (width < end && is_base64(end - 1 - width)) ++width;
    if (width != 64 && width != 76) continue;
    std::string joined(text.substr(end - width, width));
    std::vector<std::size_t> places(width);
    for (std::size_t i = 0; i < width; ++i) places[i] = end - width + i;
    std::size_t at = end;
    for (std::size_t line = width; line == width && at < text.size() && line_break(at) != 0;) {
      at += line_break(at);
      for (int i = 0; i < 64 && at < text.size() && (text[at] == ' ' || text[at] == '\t'); ++i)
        ++at;
      if (!is_base64(at)) break;
      const auto goes_on = [&] { return is_base64(at) || (at < text.size() && text[at] == '='); };
      for (line = 0; line < width && goes_on(); ++line, ++at) {
        joined += text[at];
        places.push_back(at);
      }
    }
    std::vector<bool> marked(joined.size());
    std::vector<bool> inside(joined.size());
    MarkForms(base64, joined, marked, &inside);
    for (std::size_t i = 0; i < joined.size(); ++i) {
      if (marked[i]) covered[places[i]] = true;
      for (std::size_t j = inside[i] ? places[i - 1] : places[i]; j < places[i]; ++j) {
        covered[j] = true;
      }
    }
  }
}

inline std::string OracleScrubForms(std::span<const OracleForm> forms, std::string_view text) {
  std::vector<bool> covered(text.size());
  MarkForms(forms, text, covered);
  std::vector<OracleForm> base64;
  for (const OracleForm& form : forms) {
    if (form.is_base64) base64.push_back(form);
  }
  MarkBlocks(base64, text, covered);
  return Masked(text, covered);
}

inline std::vector<OracleForm> OracleFormsOf(std::span<const std::string> values) {
  std::vector<OracleForm> forms;
  for (const std::string& value : values) {
    ForEachForm(value, {}, [&](const FormText& form) {
      forms.push_back({.text = std::string(form.text),
                       .is_base64 = form.is_base64,
                       .only_as_word = form.only_as_word,
                       .edges = form.edges});
    });
  }
  return forms;
}

// The number of bytes at the end of `text` that are the beginning of a value, but not all of it.
inline std::size_t OraclePending(std::span<const std::string> values, std::string_view text) {
  std::size_t pending = 0;
  for (const std::string& value : values) {
    for (std::size_t length = 1; length < value.size() && length <= text.size(); ++length) {
      if (!text.ends_with(std::string_view(value).substr(0, length))) continue;
      if (length > pending) pending = length;
    }
  }
  return pending;
}

}  // namespace qarion::secrets::scrub
