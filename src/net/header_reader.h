// Reads the headers of an answer, line by line.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "net/http.h"

namespace qarion::secrets::net {

class HeaderReader {
 public:
  // Of all lines together.
  explicit HeaderReader(std::size_t most_bytes) : left_(most_bytes) {}

  // Takes a line as libcurl hands it over, status line and line end included. Those of an earlier
  // answer on the way, such as `100 Continue`, are forgotten. False: that were too many bytes.
  bool Take(std::string_view line);

  // Whether the empty line at the end came.
  bool is_complete() const noexcept { return is_complete_; }

  // Names in lower case, values without white space around them, in the order they came.
  std::vector<HttpHeader> Release() && { return std::move(headers_); }

 private:
  std::size_t left_;
  bool is_complete_ = false;
  std::vector<HttpHeader> headers_;
};

}  // namespace qarion::secrets::net
