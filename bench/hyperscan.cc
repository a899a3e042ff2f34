#include "bench/hyperscan.h"

#include <cctype>
#include <cstdio>
#include <cstdlib>

namespace qarion::secrets::bench {
namespace {

void Require(hs_error_t error, const char* what) {
  if (error == HS_SUCCESS) return;
  std::fprintf(stderr, "hyperscan: %s: error %d\n", what, error);
  std::exit(70);
}

// A pattern that stands for these bytes alone.
std::string Escaped(std::string_view literal) {
  std::string pattern;
  for (const char c : literal) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
      pattern += c;
      continue;
    }
    char escape[8];
    std::snprintf(escape, sizeof escape, "\\x%02x", static_cast<unsigned char>(c));
    pattern += escape;
  }
  return pattern;
}

int CountMatch(unsigned, unsigned long long, unsigned long long, unsigned, void* count) {
  ++*static_cast<std::uint64_t*>(count);
  return 0;
}

int KeepMatch(unsigned literal, unsigned long long, unsigned long long end, unsigned, void* kept) {
  static_cast<std::vector<Hyperscan::Match>*>(kept)->push_back({literal, end});
  return 0;
}

}  // namespace

Hyperscan::Hyperscan(const std::vector<std::string>& literals, Mode mode, Compiler compiler) {
  const unsigned flags = mode == Mode::kStream ? HS_MODE_STREAM : HS_MODE_BLOCK;
  const auto count = static_cast<unsigned>(literals.size());
  std::vector<std::string> texts;
  std::vector<const char*> expressions;
  std::vector<std::size_t> lengths;
  std::vector<unsigned> ids;
  for (const std::string& literal : literals) {
    texts.push_back(compiler == Compiler::kPatterns ? Escaped(literal) : literal);
    lengths.push_back(literal.size());
    ids.push_back(static_cast<unsigned>(ids.size()));
  }
  for (const std::string& text : texts) expressions.push_back(text.c_str());

  hs_database_t* database = nullptr;
  hs_compile_error_t* problem = nullptr;
  const hs_error_t error =
      compiler == Compiler::kPatterns
          ? hs_compile_multi(expressions.data(), nullptr, ids.data(), count, flags, nullptr,
                             &database, &problem)
          : hs_compile_lit_multi(expressions.data(), nullptr, ids.data(), lengths.data(), count,
                                 flags, nullptr, &database, &problem);
  Require(error, problem != nullptr ? problem->message : "compile");
  database_.reset(database);

  hs_scratch_t* scratch = nullptr;
  Require(hs_alloc_scratch(database, &scratch), "scratch");
  scratch_.reset(scratch);
  if (mode == Mode::kStream) {
    hs_stream_t* stream = nullptr;
    Require(hs_open_stream(database, 0, &stream), "stream");
    stream_.reset(stream);
  }
}

void Hyperscan::Scan(std::string_view bytes, match_event_handler handler, void* context) {
  const auto size = static_cast<unsigned>(bytes.size());
  Require(
      stream_
          ? hs_scan_stream(stream_.get(), bytes.data(), size, 0, scratch_.get(), handler, context)
          : hs_scan(database_.get(), bytes.data(), size, 0, scratch_.get(), handler, context),
      "scan");
}

std::uint64_t Hyperscan::Count(std::string_view bytes) {
  std::uint64_t count = 0;
  Scan(bytes, CountMatch, &count);
  return count;
}

std::vector<Hyperscan::Match> Hyperscan::Matches(std::string_view bytes) {
  std::vector<Match> matches;
  Scan(bytes, KeepMatch, &matches);
  return matches;
}

void Hyperscan::EndStream() {
  if (stream_) Require(hs_reset_stream(stream_.get(), 0, nullptr, nullptr, nullptr), "reset");
}

}  // namespace qarion::secrets::bench
