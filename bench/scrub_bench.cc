// The scrubber beside Hyperscan on the same text and the same literals, in turn, in one process.
//
// scrub_bench scan TEXT VALUES [--forms]: bytes a second
// scrub_bench line TEXT VALUES [--forms]: nanoseconds for a line of 156 bytes
// scrub_bench cut TEXT VALUES [--forms]: the same for pieces of 156 bytes that end anywhere
// scrub_bench set VALUES [--forms]: milliseconds to build and to change a set; memory of a value
//
// TEXT is a file; VALUES is one with a value on each line. Prints lines `name<TAB>figure of each
// round...`, `=name<TAB>figure` for what is counted once. BENCH_SECONDS is how long all rounds may
// take together. bench/scrub_bench.py makes the files and the table.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "bench/hyperscan.h"
#include "core/secret_memory.h"
#include "qarion/secrets/scrubber.h"
#include "qarion/secrets/secret.h"
#include "scrub/forms.h"
#include "tests/support/allocation_counter.h"

namespace qarion::secrets::bench {
namespace {

using std::chrono::steady_clock;
using Values = std::vector<std::string>;

constexpr std::size_t kPiece = 64 * 1024;
constexpr std::size_t kLine = 156;
constexpr std::size_t kLinesBytes = 1 << 20;    // of text that lines are taken from
constexpr std::size_t kCheckedBytes = 4 << 20;  // of text on which results are compared
constexpr std::size_t kLeastRounds = 5;
constexpr std::size_t kMostRounds = 41;

// The one place that knows how a set is made.
ScrubberOptions OptionsFor(bool all_forms) {
  if (all_forms) return {};
  return {.forms = {ScrubForm::kRaw}, .min_length = 1};
}

// What such a set looks for, for those that know literals and nothing else.
Values ExpandedLiterals(const Values& values, bool all_forms) {
  const ScrubberOptions options = OptionsFor(all_forms);
  const scrub::FormRules rules{.forms = options.forms, .min_length = options.min_length};
  std::unordered_set<std::string> literals;
  for (const std::string& value : values) {
    scrub::ForEachForm(value, rules,
                       [&](const scrub::FormText& form) { literals.emplace(form.text); });
  }
  Values sorted(literals.begin(), literals.end());
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

Scrubber ScrubberFor(const Values& values, bool all_forms) {
  Scrubber scrubber(OptionsFor(all_forms));
  std::vector<NamedSecret> named;
  named.reserve(values.size());
  for (const std::string& value : values) {
    named.push_back({.name = {}, .value = Secret::CopyOf(value)});
  }
  scrubber.Add(named);
  return scrubber;
}

std::string ReadFile(const char* path) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes(std::istreambuf_iterator<char>(file), {});
  if (!bytes.empty()) return bytes;
  std::fprintf(stderr, "scrub_bench: cannot read '%s', or it is empty\n", path);
  std::exit(66);
}

Values ReadValues(const char* path) {
  const std::string bytes = ReadFile(path);
  Values values;
  for (std::string_view rest = bytes; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    values.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return values;
}

double SecondsOf(const std::function<void()>& work) {
  const auto begin = steady_clock::now();
  work();
  return std::chrono::duration<double>(steady_clock::now() - begin).count();
}

void ForEachPiece(std::string_view text, std::size_t size,
                  const std::function<void(std::string_view)>& use) {
  for (std::size_t at = 0; at < text.size(); at += size) use(text.substr(at, size));
}

struct Contender {
  std::string name;
  std::function<void()> run;
  std::function<double(double seconds)> figure;
  std::function<void()> prepare = [] {};  // before each run, not measured
  std::vector<double> figures = {};
  bool is_slow = false;  // takes longer alone than all rounds may: one run is enough
};

// Runs all in turn, so that whatever else the machine does hits them alike, each round beginning
// with another.
void Measure(std::vector<Contender> contenders) {
  const char* limit = std::getenv("BENCH_SECONDS");
  const double seconds = limit != nullptr ? std::strtod(limit, nullptr) : 3;
  for (Contender& contender : contenders) {
    const double first = SecondsOf(contender.run);
    contender.is_slow = first > seconds;
    if (contender.is_slow) contender.figures.push_back(contender.figure(first));
  }
  const auto begin = steady_clock::now();
  for (std::size_t round = 0; round < kMostRounds; ++round) {
    const std::chrono::duration<double> passed = steady_clock::now() - begin;
    if (round >= kLeastRounds && passed.count() > seconds) break;
    for (std::size_t i = 0; i < contenders.size(); ++i) {
      Contender& contender = contenders[(i + round) % contenders.size()];
      if (contender.is_slow) continue;
      contender.prepare();
      contender.figures.push_back(contender.figure(SecondsOf(contender.run)));
    }
  }
  for (const Contender& contender : contenders) {
    std::printf("%s", contender.name.c_str());
    for (const double figure : contender.figures) std::printf("\t%.6g", figure);
    std::printf("\n");
  }
}

void PrintOnce(const char* name, double figure) { std::printf("=%s\t%.9g\n", name, figure); }

// Length of the text with every byte of a match masked, and adjacent ones under one mask.
std::size_t MaskedSize(std::size_t size, const std::vector<Hyperscan::Match>& matches,
                       const Values& literals) {
  std::vector<std::size_t> first_of(size + 1);  // of the longest match that ends there
  for (std::size_t end = 0; end <= size; ++end) first_of[end] = end;
  for (const Hyperscan::Match& match : matches) {
    std::size_t& first = first_of[match.end];
    first = std::min<std::size_t>(first, match.end - literals[match.literal].size());
  }
  std::size_t masked = 0;
  std::size_t first = size;
  bool in_mask = false;
  for (std::size_t at = size; at-- > 0;) {
    first = std::min(first, first_of[at + 1]);
    const bool is_covered = at >= first;
    if (!is_covered) ++masked;
    if (is_covered && !in_mask) masked += kMask.size();
    in_mask = is_covered;
  }
  return masked;
}

// A measurement counts only where both have found the same.
void RequireSameResult(std::string_view text, const Scrubber& scrubber, Hyperscan& hyperscan,
                       const Values& literals, bool all_forms) {
  text = text.substr(0, kCheckedBytes);
  const std::vector<Hyperscan::Match> matches = hyperscan.Matches(text);
  const std::size_t expected = MaskedSize(text.size(), matches, literals);
  const std::size_t scrubbed = scrubber.Scrub(text).size();
  // Beside a form in base64 a mask also covers the characters that carry some bits of the value.
  if (scrubbed == expected || (all_forms && !matches.empty())) return;
  std::fprintf(stderr, "scrub_bench: %zu bytes scrubbed are %zu, of Hyperscan's matches %zu\n",
               text.size(), scrubbed, expected);
  std::exit(70);
}

struct HyperscanKind {
  const char* name;
  Hyperscan::Mode mode;
  Hyperscan::Compiler compiler;
};

constexpr HyperscanKind kHyperscans[] = {
    {"Hyperscan block", Hyperscan::Mode::kBlock, Hyperscan::Compiler::kPatterns},
    {"Hyperscan stream", Hyperscan::Mode::kStream, Hyperscan::Compiler::kPatterns},
    {"Hyperscan literal block", Hyperscan::Mode::kBlock, Hyperscan::Compiler::kLiterals},
    {"Hyperscan literal stream", Hyperscan::Mode::kStream, Hyperscan::Compiler::kLiterals},
};

int Scan(const char* text_path, const char* values_path, bool all_forms) {
  const std::string text = ReadFile(text_path);
  const Values values = ReadValues(values_path);
  const Values literals = ExpandedLiterals(values, all_forms);
  const Scrubber scrubber = ScrubberFor(values, all_forms);
  const auto gigabytes = [&](double seconds) {
    return static_cast<double>(text.size()) / 1e9 / seconds;
  };

  std::uint64_t passed = 0;
  StreamScrubber stream(scrubber, [&](std::string_view bytes) { passed += bytes.size(); });
  std::vector<Contender> contenders;
  contenders.push_back({"stream",
                        [&] {
                          ForEachPiece(text, kPiece,
                                       [&](std::string_view piece) { stream.Write(piece); });
                          stream.Finish();
                        },
                        gigabytes});
  contenders.push_back({"Scrub",
                        [&] {
                          ForEachPiece(text, kPiece, [&](std::string_view piece) {
                            passed += scrubber.Scrub(piece).size();
                          });
                        },
                        gigabytes});
  std::uint64_t matches = 0;
  std::vector<std::unique_ptr<Hyperscan>> hyperscans;
  for (const HyperscanKind& kind : kHyperscans) {
    hyperscans.push_back(std::make_unique<Hyperscan>(literals, kind.mode, kind.compiler));
    Hyperscan& hyperscan = *hyperscans.back();
    const std::size_t piece_size = kind.mode == Hyperscan::Mode::kStream ? kPiece : text.size();
    contenders.push_back({kind.name,
                          [&hyperscan, &matches, &text, piece_size] {
                            matches = 0;
                            ForEachPiece(text, piece_size, [&](std::string_view piece) {
                              matches += hyperscan.Count(piece);
                            });
                            hyperscan.EndStream();
                          },
                          gigabytes});
  }
  RequireSameResult(text, scrubber, *hyperscans.front(), literals, all_forms);
  Measure(std::move(contenders));
  PrintOnce("literals", static_cast<double>(literals.size()));
  PrintOnce("matches", static_cast<double>(matches));
  return EXIT_SUCCESS;
}

int Lines(const char* text_path, const char* values_path, bool all_forms, bool are_whole) {
  std::string text = ReadFile(text_path);
  text.resize(std::min(text.size(), kLinesBytes) / kLine * kLine);
  if (are_whole) {
    std::ranges::replace(text, '\n', ' ');
    for (std::size_t end = kLine; end <= text.size(); end += kLine) text[end - 1] = '\n';
  }
  const Values values = ReadValues(values_path);
  const Values literals = ExpandedLiterals(values, all_forms);
  const Scrubber scrubber = ScrubberFor(values, all_forms);
  const double lines = static_cast<double>(text.size()) / kLine;
  const auto nanoseconds = [&](double seconds) { return seconds * 1e9 / lines; };

  std::uint64_t passed = 0;
  StreamScrubber stream(scrubber, [&](std::string_view bytes) { passed += bytes.size(); });
  const auto write_lines = [&] {
    ForEachPiece(text, kLine, [&](std::string_view line) { stream.Write(line); });
  };
  std::vector<Contender> contenders;
  contenders.push_back({"stream", write_lines, nanoseconds});
  contenders.push_back({"stream, ended",
                        [&] {
                          ForEachPiece(text, kLine, [&](std::string_view line) {
                            stream.Write(line);
                            stream.Finish();
                          });
                        },
                        nanoseconds});
  contenders.push_back({"Scrub",
                        [&] {
                          ForEachPiece(text, kLine, [&](std::string_view line) {
                            passed += scrubber.Scrub(line).size();
                          });
                        },
                        nanoseconds});
  std::vector<std::unique_ptr<Hyperscan>> hyperscans;
  for (const HyperscanKind& kind : kHyperscans) {
    hyperscans.push_back(std::make_unique<Hyperscan>(literals, kind.mode, kind.compiler));
    Hyperscan& hyperscan = *hyperscans.back();
    contenders.push_back({kind.name,
                          [&] {
                            ForEachPiece(text, kLine, [&hyperscan](std::string_view line) {
                              hyperscan.Count(line);
                            });
                          },
                          nanoseconds});
  }
  Measure(std::move(contenders));
  const std::size_t before = test::AllocationCount();
  write_lines();
  PrintOnce("allocations of a line", static_cast<double>(test::AllocationCount() - before) / lines);
  return EXIT_SUCCESS;
}

// From a value's arrival until a stream has masked it.
void AddAndMask(Scrubber& scrubber, StreamScrubber& stream, std::uint64_t& passed,
                const std::string& value) {
  passed = 0;
  scrubber.Add(value);
  stream.Write("password=" + value + "\n");
  stream.Finish();
  if (passed == std::string_view("password=***\n").size()) return;
  std::fprintf(stderr, "scrub_bench: a value that was added is not masked\n");
  std::exit(70);
}

int Set(const char* values_path, bool all_forms) {
  const Values values = ReadValues(values_path);
  const Values literals = ExpandedLiterals(values, all_forms);
  const auto milliseconds = [](double seconds) { return seconds * 1000; };

  const std::size_t before = core::GetSecretMemoryStatus().in_use_bytes;
  std::optional<Scrubber> scrubber = ScrubberFor(values, all_forms);
  const std::size_t after = core::GetSecretMemoryStatus().in_use_bytes;

  std::uint64_t passed = 0;
  std::optional<StreamScrubber> stream;
  const auto follow = [&] {
    stream.emplace(*scrubber, [&](std::string_view bytes) { passed += bytes.size(); });
  };
  follow();
  std::size_t added = 0;
  const auto add_another = [&] {
    AddAndMask(*scrubber, *stream, passed,
               "Zq" + std::to_string(918273645 + added++ * 7919) + "Kx");
  };
  std::optional<Hyperscan> hyperscan;
  const auto compile = [&] {
    hyperscan.emplace(literals, Hyperscan::Mode::kStream, Hyperscan::Compiler::kPatterns);
  };
  Measure({{"change", add_another, milliseconds}});
  const auto build = [&] { scrubber = ScrubberFor(values, all_forms); };
  const auto add_first = [&] {
    follow();
    add_another();
  };
  Measure({
      {"build", build, milliseconds,
       [&] {
         stream.reset();
         scrubber.reset();
       }},
      {"first change", add_first, milliseconds, build},
      {"Hyperscan build", compile, milliseconds, [&] { hyperscan.reset(); }},
  });
  PrintOnce("literals", static_cast<double>(literals.size()));
  PrintOnce("secret bytes of a value",
            static_cast<double>(after - before) / static_cast<double>(values.size()));
  return EXIT_SUCCESS;
}

int Main(int argc, char** argv) {
  std::vector<const char*> arguments(argv + 1, argv + argc);
  const bool all_forms = !arguments.empty() && arguments.back() == std::string_view("--forms");
  if (all_forms) arguments.pop_back();
  const std::string_view what = arguments.empty() ? "" : arguments[0];
  if (what == "scan" && arguments.size() == 3) return Scan(arguments[1], arguments[2], all_forms);
  if ((what == "line" || what == "cut") && arguments.size() == 3) {
    return Lines(arguments[1], arguments[2], all_forms, what == "line");
  }
  if (what == "set" && arguments.size() == 2) return Set(arguments[1], all_forms);
  std::fprintf(stderr,
               "usage: scrub_bench scan|line|cut TEXT VALUES [--forms] | set VALUES [--forms]\n");
  return 64;
}

}  // namespace
}  // namespace qarion::secrets::bench

int main(int argc, char** argv) { return qarion::secrets::bench::Main(argc, argv); }
