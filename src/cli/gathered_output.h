// Writing many small pieces in few calls.
#pragma once

#include <string>
#include <string_view>

namespace qarion::secrets::cli {

// Keeps small pieces until they are many or Flush() is called; a large piece is written at once
// from where it is, together with what was kept. After an error nothing more is written.
class GatheredOutput {
 public:
  explicit GatheredOutput(int descriptor);

  void Pass(std::string_view text);
  void Flush();

  // The number of the first error; 0 where there was none.
  int error() const noexcept { return error_; }

 private:
  void Write(std::string_view text);

  int descriptor_;
  std::string kept_;
  int error_ = 0;
};

}  // namespace qarion::secrets::cli
