// Each CASE must be refused by the compiler; without a case the file compiles.
#include <qarion/secrets/result.h>
#include <qarion/secrets/secret.h>

#include <iostream>
#include <sstream>
#include <string>
#include <unordered_set>

#ifdef CASE_FORMAT
#include <fmt/format.h>
#endif

using qarion::secrets::Result;
using qarion::secrets::Secret;
using qarion::secrets::Status;

Status Work() { return {}; }

void Use(Secret& secret, Secret& other) {
  static_cast<void>(secret.ConstantTimeEquals(other));
  static_cast<void>(secret.Reveal());
#if defined(CASE_PRINT)
  std::cout << secret;
#elif defined(CASE_PRINT_RESULT)
  const Result<Secret> result = secret.Share();
  std::ostringstream text;
  text << *result;
#elif defined(CASE_COPY)
  Secret copy = secret;
#elif defined(CASE_ASSIGN)
  other = secret;
#elif defined(CASE_COMPARE)
  static_cast<void>(secret == other);
#elif defined(CASE_COMPARE_TEXT)
  static_cast<void>(secret == "text");
#elif defined(CASE_COMPARE_NOT_EQUAL)
  static_cast<void>(secret != other);
#elif defined(CASE_TO_STRING)
  std::string text = secret;
#elif defined(CASE_TO_VIEW)
  std::string_view text = secret;
#elif defined(CASE_CONCATENATE)
  std::string text = "password=" + secret;
#elif defined(CASE_FORMAT)
  static_cast<void>(fmt::format("{}", secret));
#elif defined(CASE_HASH)
  std::unordered_set<Secret> set;
#elif defined(CASE_IGNORED_RESULT)
  Work();
#endif
}
