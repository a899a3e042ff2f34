// Where and how a machine or container asks for the credentials of its role.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "aws/client_settings.h"
#include "aws/variables.h"
#include "net/http_client.h"
#include "qarion/secrets/result.h"

namespace qarion::secrets::aws {

struct ContainerAddress {
  std::string setting;  // that says it
  std::string url;
  // Without the path, by which ECS knows the container: whoever has it gets the credentials.
  std::string shown;
};

// By AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, which wins, or AWS_CONTAINER_CREDENTIALS_FULL_URI;
// nothing where neither is set. kConfiguration: it is no URL or path, or plain http to a host other
// than this machine and the addresses that AWS has for this. Unlike other clients, and like
// botocore, this does not resolve names: of those, only localhost will do.
Result<std::optional<ContainerAddress>> FindContainerAddress(const Variables& variables);

// What paths of an instance's metadata are appended to. kConfiguration: the endpoint in the
// settings is no URL.
Result<std::string> InstanceMetadataUrl(const MetadataSettings& settings);

}  // namespace qarion::secrets::aws
