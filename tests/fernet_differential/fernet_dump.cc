// Reads from standard input, one case a line, fields in hexadecimal with tabs between them: what to
// do, then keys with blanks between them, then the rest. Prints a line for each:
// "encrypt", keys, plaintext, time: the token.
// "decrypt", keys, token, "strict" or "lenient", and TTL and time or nothing: which key opened it,
// whether it was read leniently, its time and its plaintext in hexadecimal.
// "rotate", keys, token: the token.
// Or "ERR" and the reason. Times are seconds since 1970.
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "qarion/secrets/fernet.h"
#include "tests/support/hex_fields.h"

namespace secrets = qarion::secrets;
namespace test = qarion::secrets::test;

namespace {

using std::chrono::seconds;
using std::chrono::system_clock;

std::string Failure(const secrets::Error& error) { return "ERR\t" + error.reason(); }

secrets::Result<secrets::Fernet> FernetOf(const std::string& texts) {
  std::vector<secrets::FernetKey> keys;
  std::istringstream words(texts);
  for (std::string text; words >> text;) {
    auto key = secrets::FernetKey::Parse(text, "key");
    if (!key) return std::move(key).error();
    keys.push_back(*std::move(key));
  }
  return secrets::Fernet::Create(std::move(keys));
}

system_clock::time_point TimeOf(const std::string& text) {
  return system_clock::time_point(seconds(std::stoll(text)));
}

std::string Decrypt(const secrets::Fernet& fernet, const std::vector<std::string>& fields) {
  secrets::FernetDecryptOptions options{.is_lenient = fields[3] == "lenient"};
  if (!fields[4].empty()) {
    options.ttl = seconds(std::stoll(fields[4]));
    options.now = TimeOf(fields[5]);
  }
  const auto message = fernet.Decrypt(fields[2], options);
  if (!message) return Failure(message.error());
  const auto time = std::chrono::floor<seconds>(message->encrypted_at).time_since_epoch().count();
  return std::to_string(message->key) + (message->was_lenient ? " lenient " : " strict ") +
         std::to_string(time) + " " + test::Hex(message->plaintext.Reveal());
}

std::string Answer(const std::vector<std::string>& fields) {
  const auto fernet = FernetOf(fields[1]);
  if (!fernet) return Failure(fernet.error());
  if (fields[0] == "decrypt") return Decrypt(*fernet, fields);
  const auto token = fields[0] == "encrypt" ? fernet->EncryptAt(fields[2], TimeOf(fields[3]))
                                            : fernet->Rotate(fields[2]);
  return token ? *token : Failure(token.error());
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << Answer(test::FieldsOf(line)) << '\n';
  }
  return EXIT_SUCCESS;
}
