#include "rotate/audit_id.h"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace qarion::secrets::rotate {

Result<std::string> NewAuditId() {
  std::array<unsigned char, 16> bytes{};
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    return Error(ErrorCode::kInternal,
                 std::string("the kernel gives no random bytes: ") + std::strerror(errno))
        .Cure("see what keeps this process from getrandom(2)");
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string id;
  for (const unsigned char byte : bytes) {
    id += kDigits[byte >> 4];
    id += kDigits[byte & 15];
  }
  return id;
}

}  // namespace qarion::secrets::rotate
