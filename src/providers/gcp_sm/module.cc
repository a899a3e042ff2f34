// qarion_secrets_gcp_sm.so
#include "providers/gcp_sm/gcp_sm_provider.h"
#include "providers/module_adapter.h"

const qarion_secrets_provider_table* qarion_secrets_provider() {
  static const auto table =
      qarion::secrets::module::TableFor<qarion::secrets::gcp_sm::CreateGcpSmProvider>("gcp_sm");
  return &table;
}
