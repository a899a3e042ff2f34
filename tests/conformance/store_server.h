// A server of a store beside the tests, and how they set it up.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "net/http_client.h"
#include "qarion/secrets/clock.h"
#include "tests/fakes/python_server.h"

namespace qarion::secrets::conformance {

class StoreServer {
 public:
  explicit StoreServer(const char* program) : python_(program, {}) {}

  std::string address() const { return "http://127.0.0.1:" + python_.port(); }
  // What the program prints next.
  std::string NextLine() { return python_.NextLine(); }

  // Fails the test where the answer is none of 2xx.
  void Send(const net::HttpRequest& request) {
    const auto made =
        client_.Send(request, Clock::System()->SteadyNow() + std::chrono::seconds(20));
    ASSERT_TRUE(made.result) << made.result.error().reason();
    ASSERT_LT(made.result->status, 300) << made.result->body.Reveal();
  }

 private:
  test::PythonServer python_;
  net::HttpClient client_{{}};
};

}  // namespace qarion::secrets::conformance
