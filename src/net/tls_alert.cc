#include "net/tls_alert.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <cerrno>
#include <cstddef>

namespace qarion::secrets::net {
namespace {

constexpr unsigned kDescriptionBits = 8;  // of an alert, which has its level above them

// Of contexts: which object watches them.
int Index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

// RFC 8446, 6: the level means nothing from TLS 1.3 on, and all alerts but these two end a
// connection.
bool EndsConnection(const SSL* connection, unsigned level, unsigned description) {
  if (SSL_version(connection) < TLS1_3_VERSION) return level == SSL3_AL_FATAL;
  return description != SSL_AD_CLOSE_NOTIFY && description != SSL_AD_USER_CANCELLED;
}

long TakeWrite(BIO* transport, int operation, const char*, std::size_t size, int, long, int result,
               std::size_t* count) {
  if (operation == BIO_CB_WRITE) errno = 0;  // so that it is of this write
  const bool is_broken = operation == (BIO_CB_WRITE | BIO_CB_RETURN) && result <= 0 &&
                         BIO_should_retry(transport) == 0 &&
                         (errno == EPIPE || errno == ECONNRESET);
  if (!is_broken) return result;
  *count = size;
  return 1;
}

void TakeInfo(const SSL* connection, int event, int value) {
  auto& alert = *static_cast<TlsAlert*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(connection), Index()));
  const auto bits = static_cast<unsigned>(value);
  const unsigned description = bits & ((1U << kDescriptionBits) - 1);
  if (event == SSL_CB_HANDSHAKE_START) {
    alert.Forget();
  } else if (event == SSL_CB_HANDSHAKE_DONE) {
    BIO_set_callback_ex(SSL_get_wbio(connection), &TakeWrite);
  } else if (event == SSL_CB_READ_ALERT &&
             EndsConnection(connection, bits >> kDescriptionBits, description)) {
    alert.Take(static_cast<int>(description));
  }
}

}  // namespace

void TlsAlert::Watch(SSL_CTX* context) {
  if (SSL_CTX_set_ex_data(context, Index(), this) == 1) {
    SSL_CTX_set_info_callback(context, &TakeInfo);
  }
}

std::optional<std::string> TlsAlert::Text() const {
  if (!taken_) return std::nullopt;
  const char* const reason =
      ERR_reason_error_string(ERR_PACK(ERR_LIB_SSL, 0, SSL_AD_REASON_OFFSET + *taken_));
  return reason != nullptr ? reason : "alert " + std::to_string(*taken_);
}

}  // namespace qarion::secrets::net
