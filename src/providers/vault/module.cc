// qarion_secrets_vault.so
#include "providers/module_adapter.h"
#include "providers/vault/vault_provider.h"

const qarion_secrets_provider_table* qarion_secrets_provider() {
  static const auto table =
      qarion::secrets::module::TableFor<qarion::secrets::vault::CreateVaultProvider>("vault");
  return &table;
}
