// A new file beside another one, which it may replace.
#pragma once

#include <string>

#include "cli/unique_fd.h"

namespace qarion::secrets::cli {

// Named after the other one, so that one that is left behind (kill -9) is known for what it is:
// "app.log.qsecrets-scrub-4711-0". Only this user may read it.
class NewNeighbour {
 public:
  // `directory` must stay open.
  NewNeighbour(int directory, const std::string& other);
  ~NewNeighbour();  // removes it, unless it has replaced the other one
  NewNeighbour(const NewNeighbour&) = delete;
  NewNeighbour& operator=(const NewNeighbour&) = delete;

  // Why there is none, or 0.
  int error() const noexcept { return error_; }
  int descriptor() const noexcept { return file_.get(); }

  // Gives it the name of the other one, on the disk too. Where that fails errno says why.
  bool Replace(const std::string& other);

 private:
  int directory_;
  std::string name_;
  UniqueFd file_;
  int error_ = 0;
};

}  // namespace qarion::secrets::cli
