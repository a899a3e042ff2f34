// qarion_secrets_aws_sm.so
#include "providers/aws_sm/aws_sm_provider.h"
#include "providers/module_adapter.h"

const qarion_secrets_provider_table* qarion_secrets_provider() {
  static const auto table =
      qarion::secrets::module::TableFor<qarion::secrets::aws_sm::CreateAwsSmProvider>("aws_sm");
  return &table;
}
