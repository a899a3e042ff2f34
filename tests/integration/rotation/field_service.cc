// A service with encrypted fields, for tests. Each line of standard input is "open TOKEN" or
// "seal TEXT"; the answer is a line: "ok " and the text or the token, or "failed " and the reason.
#include <qarion/secrets/field_cipher.h>
#include <qarion/secrets/runtime.h>

#include <iostream>
#include <string>
#include <string_view>

namespace secrets = qarion::secrets;

namespace {

secrets::Result<std::string> Answer(const secrets::FieldCipher& cipher, std::string_view request) {
  constexpr std::string_view kSeal = "seal ";
  const std::string_view text = request.substr(kSeal.size());
  if (request.starts_with(kSeal)) return cipher.Encrypt(text);
  auto message = cipher.Decrypt(text);
  if (!message) return std::move(message).error();
  return std::string(message->plaintext.Reveal());
}

}  // namespace

int main() {
  auto runtime = secrets::Runtime::FromEnvironment();
  if (!runtime) return secrets::Report(runtime.error());
  auto cipher = secrets::FieldCipher::For(*runtime);
  if (!cipher) return secrets::Report(cipher.error());
  std::ios::sync_with_stdio(false);
  std::cin.tie(nullptr);
  for (std::string line; std::getline(std::cin, line);) {
    const auto answer = Answer(*cipher, line);
    std::cout << (answer ? "ok " + *answer : "failed " + answer.error().reason()) << '\n';
    if (std::cin.rdbuf()->in_avail() <= 0) std::cout.flush();
  }
  return 0;
}
