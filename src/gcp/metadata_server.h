// The server that tells a machine or container at Google who it is.
#pragma once

#include <atomic>
#include <string>

#include "gcp/source_context.h"
#include "net/call.h"
#include "net/http_client.h"
#include "qarion/secrets/result.h"
#include "qarion/secrets/secret.h"

namespace qarion::secrets::gcp {

// How it is asked: never through a proxy, and for no more than documents of 64 KiB. `trace`: see
// HttpClientOptions.
net::HttpClientOptions MetadataOptions(const std::function<void(std::string_view)>& trace);

// Thread-safety: every member from several threads, Get by one at a time.
class MetadataServer {
 public:
  // `product_file`: in which the firmware says what this machine is.
  explicit MetadataServer(const SourceContext& context,
                          std::string product_file = "/sys/class/dmi/id/product_name");

  // "http://169.254.169.254", or as GCE_METADATA_HOST and its kin say.
  const std::string& address() const noexcept { return address_; }

  // What it says at `path` below /computeMetadata/v1/, encoded and maybe with a query.
  //
  // One that is known to be there, because a variable names it, the firmware says "Google" or it
  // answered before, is asked up to 5 times, with pauses that double from half a second: those of
  // containers are late by a few seconds. Else one request of GCE_METADATA_TIMEOUT shows whether
  // there is one, and bounds what its absence costs. GCE_METADATA_DETECT_RETRIES wins over both.
  //
  // kConfiguration: NO_GCE_CHECK is set; nobody answers, or not as that server does; it says 404,
  // or 403, such as to a machine without a service account. kUnavailable: one that is known to be
  // there fails.
  Result<Secret> Get(const std::string& path, const net::Call& call);

  // The same as one line of text; empty where it says 404, and no error.
  Result<std::string> GetText(const std::string& path, const net::Call& call);

 private:
  Result<net::HttpResponse> Ask(const std::string& path, const net::Call& call);
  Result<Secret> BodyOf(net::HttpResponse response, const std::string& path) const;
  bool IsKnown() const;

  const SourceContext context_;
  const std::string address_;
  const std::string product_file_;
  std::atomic<bool> has_answered_ = false;
};

}  // namespace qarion::secrets::gcp
