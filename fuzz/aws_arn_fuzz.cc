// Any bytes as AWS_SECRET_ARN, and as the ARN and name of an answer.
#include <cstdint>
#include <string>
#include <string_view>

#include "aws/arn.h"
#include "require.h"

namespace aws = qarion::secrets::aws;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto arn = aws::ParseArn(text, "setting")) {
    Require("arn:" + arn->partition + ":" + arn->service + ":" + arn->region + ":" + arn->account +
                ":" + arn->resource ==
            text);
  } else {
    Require(!arn.error().cure().empty());
  }
  const auto id = aws::ParseSecretId(text, "setting");
  if (!id) {
    Require(!id.error().cure().empty());
    return 0;
  }
  Require(id->text == text && !id->name.empty() && text.ends_with(id->name));
  Require(aws::LooksLikeArn(text) == !id->region.empty());
  // What a service makes of the request answers it, and nothing a character away does.
  const std::string base =
      aws::LooksLikeArn(text)
          ? id->text
          : "arn:aws:secretsmanager:eu-central-1:123456789012:secret:" + id->name;
  Require(aws::IsAnswerTo(*id, base + "-AbC123", id->name));
  Require(!aws::IsAnswerTo(*id, base + "x-AbC123", id->name + "x"));
  Require(!aws::IsAnswerTo(*id, base + "-AbC12", id->name));
  Require(!aws::IsAnswerTo(*id, base + "-AbC123", id->name + "x"));
  return 0;
}
