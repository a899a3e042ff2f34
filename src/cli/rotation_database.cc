#include "cli/rotation_database.h"

#include <string_view>
#include <utility>

#include "core/environment.h"
#include "core/settings.h"

namespace qarion::secrets::cli {
namespace {

// In a URL between `//` and `@`, or after `password=`.
bool HoldsPassword(std::string_view address) {
  if (address.contains("password")) return true;
  const std::size_t begin = address.find("://");
  if (begin == std::string_view::npos) return false;
  const std::string_view rest = address.substr(begin + 3);
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?"));
  const std::size_t at = authority.rfind('@');
  return at != std::string_view::npos && authority.substr(0, at).contains(':');
}

// SQLAlchemy names its driver in the scheme, as in postgresql+asyncpg://, which libpq does not
// know.
std::string WithoutDriver(std::string address) {
  const std::size_t end = address.find("://");
  const std::size_t plus = address.find('+');
  if (address.starts_with("postgres") && plus < end && end != std::string::npos) {
    address.erase(plus, end - plus);
  }
  return address;
}

}  // namespace

Result<std::string> DatabaseAddress(const std::string& given) {
  if (HoldsPassword(given)) {
    return Error(ErrorCode::kUsage,
                 "--database has a password in it, which every user of this machine can read")
        .Cure(
            "leave it out: it is taken from POSTGRES_PASSWORD of the active backend, PGPASSWORD "
            "or PGPASSFILE; or put the whole address into DATABASE_URL");
  }
  if (!given.empty()) return WithoutDriver(given);
  const core::ProcessEnvironment environment;
  const auto settings = core::Settings::Load(environment, {});
  if (!settings) return settings.error();
  return settings->Text("DATABASE_URL", "").transform(WithoutDriver);
}

}  // namespace qarion::secrets::cli
