// credential_process: a program that prints credentials.
#include <chrono>
#include <optional>
#include <utility>

#include "aws/credential_document.h"
#include "aws/credential_source.h"
#include "core/shell_words.h"
#include "net/child_process.h"

namespace qarion::secrets::aws {
namespace {

constexpr std::chrono::seconds kPauseAfterFailure{10};
constexpr std::size_t kMostBytes = std::size_t{64} * 1024;

class ProcessSource final : public CredentialSource {
 public:
  ProcessSource(const SourceContext& context, std::string profile)
      : profiles_(context.profiles), clock_(context.clock), profile_(std::move(profile)) {}

  std::string Name() const override { return "process"; }

  Result<Offer> Get(const net::Call& call) override {
    const auto profile = profiles_.Find(profile_);
    const auto command = profile ? profile->Find("credential_process") : std::nullopt;
    if (!command) {
      return Offer{.why_not = "the profile '" + profile_ + "' has no credential_process"};
    }
    const std::string what = "credential_process in " + command->where;
    const auto words = WordsOf(*command, what);
    if (!words) return words.error();
    // It may ask somebody, or count wrong passwords: not at each attempt to read.
    if (failure_ && clock_.SteadyNow() < failed_at_ + kPauseAfterFailure) return *failure_;
    failure_.reset();
    const auto output = net::OutputOf({.words = *words}, what, kMostBytes, clock_, call);
    if (!output) {
      failure_ = output.error();
      failed_at_ = clock_.SteadyNow();
      return *failure_;
    }
    auto credentials = Read(*output, what);
    if (!credentials) return std::move(credentials).error();
    if (credentials->account_id.empty()) {
      credentials->account_id = profile->Text("aws_account_id");
    }
    return Offer{.credentials = std::move(*credentials)};
  }

 private:
  static Result<std::vector<std::string>> WordsOf(const ProfileValue& command,
                                                  const std::string& what) {
    const auto wrong = [&](const std::string& problem) {
      return Error(ErrorCode::kConfiguration, what + " " + problem)
          .With("setting", "credential_process")
          .Cure("write the program and its arguments in one line; no shell reads them");
    };
    if (command.entry->has_nested) return wrong("begins on the line below its name");
    if (command.text.find('\0') != std::string_view::npos) return wrong("has a zero byte");
    auto words = core::SplitWords(command.text);
    if (!words) return wrong("has a quotation mark without its pair, or a \\ at its end");
    if (words->empty() || words->front().empty()) return wrong("names no program");
    return std::move(*words);
  }

  Result<Credentials> Read(const Secret& output, const std::string& what) const {
    const std::string cure =
        "let the program print the form that AWS describes for credential_process";
    auto document = core::JsonDocument::Parse(output.Reveal(), what);
    if (!document) return Error(std::move(document).error()).Cure(cure);
    if ((*document)["Version"].Integer() != 1) {
      return Error(ErrorCode::kBadData, what + ": prints no object whose Version is the number 1")
          .Cure(cure);
    }
    return CredentialsFromJson(*document, {.token_name = "SessionToken"}, what);
  }

  const Profiles& profiles_;
  const Clock& clock_;
  const std::string profile_;
  std::optional<Error> failure_;  // of the program, and when
  Clock::SteadyTime failed_at_;
};

}  // namespace

SourcePtr MakeProcessSource(const SourceContext& context, std::string profile) {
  return std::make_unique<ProcessSource>(context, std::move(profile));
}

}  // namespace qarion::secrets::aws
