// Why a server ended TLS.
#pragma once

#include <optional>
#include <string>

struct ssl_ctx_st;  // OpenSSL's SSL_CTX

namespace qarion::secrets::net {

// The alert with which a server ended the TLS connection that was made last. With TLS 1.3 the
// handshake is over for the client before the server judges its certificate: the client may be
// sending its request by then, and find that the connection is broken. libcurl would give up
// there, without a look at what the server had sent. So a write to a broken connection counts as
// one that got lost on the way, as it would have a moment earlier, and the read behind it finds the
// alert, or that there is none. It waits for nothing: what breaks a connection comes last.
class TlsAlert {
 public:
  TlsAlert() = default;
  TlsAlert(const TlsAlert&) = delete;
  TlsAlert& operator=(const TlsAlert&) = delete;

  // Does so for connections made with `context`, which must not outlive this object.
  void Watch(ssl_ctx_st* context);
  // One that ends the connection, by its number.
  void Take(int alert) noexcept { taken_ = alert; }
  void Forget() noexcept { taken_ = std::nullopt; }
  // As OpenSSL has it in its errors ("tlsv1 alert unknown ca").
  std::optional<std::string> Text() const;

 private:
  std::optional<int> taken_;
};

}  // namespace qarion::secrets::net
