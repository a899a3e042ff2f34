// Hyperscan over a set of literals: what the scrubber is compared with.
#pragma once

#include <hs/hs.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace qarion::secrets::bench {

// A compiled set with what a scan needs. Ends the program where Hyperscan refuses. One thread at a
// time.
class Hyperscan {
 public:
  enum class Mode { kStream, kBlock };
  enum class Compiler { kPatterns, kLiterals };  // hs_compile_multi, hs_compile_lit_multi

  struct Match {
    unsigned literal = 0;  // its place in the list
    std::uint64_t end = 0;
  };

  Hyperscan(const std::vector<std::string>& literals, Mode mode, Compiler compiler);

  // Returns the number of matches. `bytes` is a text of its own, or in streaming mode the next
  // piece of one.
  std::uint64_t Count(std::string_view bytes);
  // The text that was streamed ends, and another one begins.
  void EndStream();

  std::vector<Match> Matches(std::string_view bytes);

 private:
  struct Free {
    void operator()(hs_database_t* database) const { hs_free_database(database); }
    void operator()(hs_scratch_t* scratch) const { hs_free_scratch(scratch); }
    void operator()(hs_stream_t* stream) const {
      hs_close_stream(stream, nullptr, nullptr, nullptr);
    }
  };

  void Scan(std::string_view bytes, match_event_handler handler, void* context);

  std::unique_ptr<hs_database_t, Free> database_;
  std::unique_ptr<hs_scratch_t, Free> scratch_;
  std::unique_ptr<hs_stream_t, Free> stream_;  // none in block mode
};

}  // namespace qarion::secrets::bench
