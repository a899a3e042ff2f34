// Scrubbing in memory: a stream of log text in pieces of 64 KiB, beside copying the same text and
// beside replacing value after value.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "qarion/secrets/scrubber.h"

namespace qarion::secrets {
namespace {

constexpr std::size_t kPiece = 64 * 1024;
constexpr std::size_t kTextBytes = 16 << 20;

std::string RandomToken(std::mt19937& generator, std::size_t length) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  std::uniform_int_distribution<std::size_t> index(0, kAlphabet.size() - 1);
  std::string token(length, '\0');
  for (char& c : token) c = kAlphabet[index(generator)];
  return token;
}

// 8 to 64 letters and digits each.
std::vector<std::string> Values(std::size_t count) {
  std::mt19937 generator(7);
  std::uniform_int_distribution<std::size_t> length(8, 64);
  std::vector<std::string> values(count);
  for (std::string& value : values) value = RandomToken(generator, length(generator));
  return values;
}

// Lines in three formats that services write; none contains a value.
std::string LogText(std::size_t bytes) {
  std::mt19937 generator(11);
  const auto number = [&](unsigned below) { return std::to_string(generator() % below); };
  std::string text;
  text.reserve(bytes + 512);
  while (text.size() < bytes) {
    const std::string time = "2026-03-14T09:" + number(60) + ":" + number(60) + "." + number(1000);
    switch (generator() % 3) {
      case 0:
        text += time + "Z INFO  [worker-" + number(16) + "] http.server - GET /api/v1/orders/" +
                number(1000000) + " 200 " + number(900) +
                "ms request_id=" + RandomToken(generator, 20) + "\n";
        break;
      case 1:
        text += R"({"ts":")" + time +
                R"(Z","level":"debug","logger":"db.pool","msg":"connection )" +
                R"(released","pool":"primary","active":)" + number(40) + R"(,"idle":)" +
                number(40) + R"(,"trace":")" + RandomToken(generator, 32) + "\"}\n";
        break;
      default:
        text += "10.0." + number(256) + "." + number(256) + " - - [14/Mar/2026:09:26:53 +0000] " +
                "\"POST /login HTTP/1.1\" 302 " + number(100000) +
                " \"https://example.com/start\" \"Mozilla/5.0 (X11; Linux x86_64)\"\n";
    }
  }
  text.resize(bytes);
  return text;
}

const std::string& Text() {
  static const std::string text = LogText(kTextBytes);
  return text;
}

void CountBytes(benchmark::State& state, std::size_t bytes) {
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) *
                          static_cast<std::int64_t>(bytes));
}

Scrubber ScrubberFor(const std::vector<std::string>& values) {
  Scrubber scrubber;
  for (const std::string& value : values) scrubber.Add(value);
  return scrubber;
}

void StreamThrough(benchmark::State& state, const Scrubber& scrubber, std::string_view text) {
  std::string out(kPiece * 2, '\0');
  std::size_t filled = 0;
  StreamScrubber stream(scrubber, [&](std::string_view bytes) {
    if (filled + bytes.size() > out.size()) filled = 0;
    std::memcpy(out.data() + filled, bytes.data(), bytes.size());
    filled += bytes.size();
  });
  for (auto _ : state) {
    for (std::size_t at = 0; at < text.size(); at += kPiece) {
      filled = 0;
      stream.Write(text.substr(at, kPiece));
      benchmark::DoNotOptimize(out.data());
      benchmark::ClobberMemory();
    }
    stream.Finish();
  }
  CountBytes(state, text.size());
}

void BM_Scrub(benchmark::State& state) {
  StreamThrough(state, ScrubberFor(Values(static_cast<std::size_t>(state.range(0)))), Text());
}
BENCHMARK(BM_Scrub)->Arg(1)->Arg(11)->Arg(100)->Arg(1000)->Arg(10000);

// Values of 4 bytes and more, as people choose them: the filter has less to go by.
void BM_ScrubShortValues(benchmark::State& state) {
  std::vector<std::string> values = Values(static_cast<std::size_t>(state.range(0)));
  for (std::size_t i = 0; i < values.size(); ++i) values[i].resize(4 + i % 5);
  StreamThrough(state, ScrubberFor(values), Text());
}
BENCHMARK(BM_ScrubShortValues)->Arg(11)->Arg(1000);

// One value on every line.
void BM_ScrubWithHits(benchmark::State& state) {
  const std::vector<std::string> values = Values(1000);
  std::string text;
  std::size_t line = 0;
  for (std::size_t at = 0; at < Text().size(); at += 156, ++line) {
    text.append(Text(), at, 156).append(values[line % values.size()]);
  }
  StreamThrough(state, ScrubberFor(values), text);
}
BENCHMARK(BM_ScrubWithHits);

void BM_ScrubNearMisses(benchmark::State& state) {
  StreamThrough(state, ScrubberFor({std::string(1000, 'a') + "b"}), std::string(kTextBytes, 'a'));
}
BENCHMARK(BM_ScrubNearMisses);

// Nothing but values without their last byte.
void BM_ScrubBeginnings(benchmark::State& state) {
  const std::vector<std::string> values = Values(1000);
  std::string text;
  for (std::size_t i = 0; text.size() < kTextBytes; ++i) {
    const std::string& value = values[i * 7 % values.size()];
    text.append(value, 0, value.size() - 1);
  }
  StreamThrough(state, ScrubberFor(values), text);
}
BENCHMARK(BM_ScrubBeginnings);

void BM_ScrubOneLine(benchmark::State& state) {
  const Scrubber scrubber = ScrubberFor(Values(static_cast<std::size_t>(state.range(0))));
  std::size_t seen = 0;
  StreamScrubber stream(scrubber, [&](std::string_view bytes) { seen += bytes.size(); });
  std::size_t at = 0;
  for (auto _ : state) {
    stream.Write(std::string_view(Text()).substr(at, 156));
    stream.Finish();
    at = (at + 156) % (1 << 20);
  }
  benchmark::DoNotOptimize(seen);
  CountBytes(state, 156);
}
BENCHMARK(BM_ScrubOneLine)->Arg(11)->Arg(1000);

void BM_Memcpy(benchmark::State& state) {
  std::string out(kPiece, '\0');
  for (auto _ : state) {
    for (std::size_t at = 0; at < Text().size(); at += kPiece) {
      std::memcpy(out.data(), Text().data() + at, kPiece);
      benchmark::DoNotOptimize(out.data());
      benchmark::ClobberMemory();
    }
  }
  CountBytes(state, Text().size());
}
BENCHMARK(BM_Memcpy);

// What a program does that has no scrubber: find and replace, value after value.
void BM_ReplaceEach(benchmark::State& state) {
  const std::vector<std::string> values = Values(static_cast<std::size_t>(state.range(0)));
  const std::string_view text = std::string_view(Text()).substr(0, 1 << 20);
  for (auto _ : state) {
    for (std::size_t at = 0; at < text.size(); at += kPiece) {
      std::string piece(text.substr(at, kPiece));
      for (const std::string& value : values) {
        for (std::size_t found = 0; (found = piece.find(value, found)) != std::string::npos;) {
          piece.replace(found, value.size(), kMask);
          found += kMask.size();
        }
      }
      benchmark::DoNotOptimize(piece.data());
    }
  }
  CountBytes(state, text.size());
}
BENCHMARK(BM_ReplaceEach)->Arg(1)->Arg(11)->Arg(100)->Arg(1000);

void BM_Compile(benchmark::State& state) {
  const std::vector<std::string> values = Values(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    state.PauseTiming();
    std::optional<Scrubber> scrubber = ScrubberFor(values);
    state.ResumeTiming();
    benchmark::DoNotOptimize(scrubber->Scrub("x"));  // compiles the set
    state.PauseTiming();
    scrubber.reset();
    state.ResumeTiming();
  }
}
BENCHMARK(BM_Compile)->Arg(1000)->Arg(10000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace qarion::secrets
