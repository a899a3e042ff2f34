// Holds the secrets of the `.env` file in its working directory in every way the library offers,
// says "ready", and then crashes when told "crash", or ends at the end of its input.
#include <qarion/secrets/field_cipher.h>
#include <qarion/secrets/runtime.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>

namespace secrets = qarion::secrets;

int main() {
  auto runtime = secrets::Runtime::FromEnvironment();
  if (!runtime) return secrets::Report(runtime.error());

  // A handle, a pinned snapshot, a reader, a compiled scrubber, a stream that holds bytes back.
  auto password = runtime->Get("POSTGRES_PASSWORD");
  if (!password) return secrets::Report(password.error());
  auto snapshot = runtime->TakeSnapshot();
  if (!snapshot) return secrets::Report(snapshot.error());
  secrets::Reader reader = runtime->NewReader();
  if (auto found = reader.Find("SECRET_KEY"); !found) return secrets::Report(found.error());
  std::size_t passed_on = 0;
  secrets::StreamScrubber stream(runtime->scrubber(),
                                 [&](std::string_view text) { passed_on += text.size(); });
  const std::string_view value = password->Reveal();
  stream.Write(value.substr(0, value.size() - 1));
  if (passed_on != 0 || stream.held() != value.size() - 1) return 70;

  // What was encrypted and decrypted, and is held, where there is a key for it.
  auto cipher = secrets::FieldCipher::For(*runtime);
  std::optional<secrets::FernetMessage> message;
  if (cipher) {
    auto token = cipher->Encrypt(value);
    if (!token) return secrets::Report(token.error());
    auto opened = cipher->Decrypt(*token);
    if (!opened) return secrets::Report(opened.error());
    if (!opened->plaintext.ConstantTimeEquals(*password)) return 70;
    message = *std::move(opened);
  } else if (cipher.error().code() != secrets::ErrorCode::kNotSet) {
    return secrets::Report(cipher.error());
  }

  std::cout << "ready" << std::endl;
  std::string order;
  std::getline(std::cin, order);
  if (order == "crash") std::abort();
  return 0;
}
