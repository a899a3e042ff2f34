#include "gcp/metadata_server.h"

#include <utility>

#include "core/ascii.h"
#include "core/files.h"
#include "net/server_text.h"

namespace qarion::secrets::gcp {
namespace {

using std::chrono::milliseconds;

constexpr char kUsualAddress[] = "http://169.254.169.254";
constexpr char kRoot[] = "/computeMetadata/v1/";
constexpr int kPatientAttempts = 5;
constexpr net::Backoff kBackoff{.first = milliseconds(500), .longest = milliseconds(4000)};
constexpr std::size_t kLongestLine = 255;
constexpr char kElsewhere[] =
    "where this is no machine of Google's, name a file with credentials in "
    "GOOGLE_APPLICATION_CREDENTIALS, or log in: gcloud auth application-default login";

constexpr char kWait[] = "wait; if it lasts, see that the metadata server can be reached";

bool IsOfGoogle(const net::HttpResponse& response) {
  return core::EqualsIgnoringCase(response.Find("metadata-flavor").value_or(""), "Google");
}

}  // namespace

MetadataServer::MetadataServer(const SourceContext& context, std::string product_file)
    : context_(context),
      address_(context.settings.metadata.host.text.empty() ? kUsualAddress
                                                           : context.settings.metadata.host.text),
      product_file_(std::move(product_file)) {}

bool MetadataServer::IsKnown() const {
  if (has_answered_ || !context_.settings.metadata.host.text.empty()) return true;
  const auto product = core::ReadFile(product_file_, "the name of this machine's product");
  return product && product->bytes.Reveal().starts_with("Google");
}

Result<net::HttpResponse> MetadataServer::Ask(const std::string& path, const net::Call& call) {
  const MetadataSettings& settings = context_.settings.metadata;
  if (settings.is_disabled) {
    return Error(ErrorCode::kConfiguration, "NO_GCE_CHECK says that there is no metadata server")
        .Cure(kElsewhere);
  }
  const bool is_known = IsKnown();
  net::HttpRequest request{.url = address_ + kRoot + path};
  request.headers.push_back({"Metadata-Flavor", Secret::CopyOf("Google")});
  const int attempts = settings.attempts > 0 ? settings.attempts : is_known ? kPatientAttempts : 1;
  auto response = SendPatiently(
      context_.metadata, request,
      {.most_attempts = attempts, .is_worth_another_try = IsBusy, .backoff = kBackoff}, context_,
      call, settings.timeout);
  if (response) {
    if (IsOfGoogle(*response)) {
      has_answered_ = true;
      return response;
    }
    // Where there was one before, or is one that is not ready, this may pass.
    const bool may_pass = has_answered_ || (is_known && IsBusy(*response));
    return Error(may_pass ? ErrorCode::kUnavailable : ErrorCode::kConfiguration,
                 "what answers at " + address_ + " is not Google's metadata server (" +
                     std::to_string(response->status) + ")")
        .Cure(may_pass ? kWait : kElsewhere);
  }
  if (!response.error().IsTransient()) return response;
  // Somebody whose time is over learns nothing of whether there is one.
  const bool was_cut = call.stop.stop_requested() || context_.clock.SteadyNow() >= call.deadline;
  const bool may_pass = is_known || was_cut;
  return Error(may_pass ? ErrorCode::kUnavailable : ErrorCode::kConfiguration,
               "there is no metadata server: " + response.error().reason())
      .Cure(may_pass ? kWait : kElsewhere);
}

Result<Secret> MetadataServer::Get(const std::string& path, const net::Call& call) {
  auto response = Ask(path, call);
  if (!response) return std::move(response).error();
  return BodyOf(std::move(*response), path);
}

Result<std::string> MetadataServer::GetText(const std::string& path, const net::Call& call) {
  auto response = Ask(path, call);
  if (!response) return std::move(response).error();
  if (response->status == 404) return std::string();
  const auto body = BodyOf(std::move(*response), path);
  if (!body) return body.error();
  return net::OneLine(core::Trimmed(body->Reveal()), {}, kLongestLine);
}

Result<Secret> MetadataServer::BodyOf(net::HttpResponse response, const std::string& path) const {
  if (response.status == 200) return std::move(response.body);
  const bool is_refusal = response.status == 404 || response.status == 403;
  return Error(is_refusal ? ErrorCode::kConfiguration : ErrorCode::kUnavailable,
               "the metadata server at " + address_ + " answers " +
                   std::to_string(response.status) + " to " + path.substr(0, path.find('?')))
      .With("status", std::to_string(response.status))
      .Cure(is_refusal ? "attach a service account to the machine or workload, and let it use the "
                         "metadata server"
                       : "wait; if it lasts, see the state of the machine or container");
}

}  // namespace qarion::secrets::gcp
