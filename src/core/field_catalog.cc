#include "core/field_catalog.h"

#include <array>

namespace qarion::secrets::core {
namespace {

constexpr std::array kCatalog = {
    CatalogEntry{"SECRET_KEY", "JWT signing key"},
    CatalogEntry{"SECRET_KEY_PREVIOUS", "previous JWT key (dual-key rotation)"},
    CatalogEntry{"SECRET_KEY_NEXT", "next JWT key, verify-only, during a rotation"},
    CatalogEntry{"POSTGRES_PASSWORD", "database password"},
    CatalogEntry{"INSTANCE_ENCRYPTION_KEY", "Fernet key for field-level encryption"},
    CatalogEntry{"INSTANCE_ENCRYPTION_KEY_PREVIOUS",
                 "previous Fernet key, decrypt-only, during a rotation"},
    CatalogEntry{"CONTROL_PLANE_SECRET_KEY", "multi-instance control plane key"},
    CatalogEntry{"SENDGRID_API_KEY", "SendGrid e-mail API key"},
    CatalogEntry{"SCIM_BEARER_TOKEN", "SCIM provisioning token"},
    CatalogEntry{"SMTP_PASSWORD", "SMTP password"},
    CatalogEntry{"STORAGE_S3_SECRET_KEY", "S3 storage secret key"},
    CatalogEntry{"STORAGE_GCS_CREDENTIALS_JSON", "GCS service account"},
    CatalogEntry{"STORAGE_AZURE_CONNECTION_STRING", "Azure storage connection string"},
    CatalogEntry{"LLM_API_KEY_*", "model provider keys"},
};

}  // namespace

std::span<const CatalogEntry> FieldCatalog() noexcept { return kCatalog; }

std::string_view PurposeOf(std::string_view field) noexcept {
  for (const CatalogEntry& entry : kCatalog) {
    if (entry.name == field) return entry.purpose;
    if (!entry.name.ends_with('*')) continue;
    const std::string_view family = entry.name.substr(0, entry.name.size() - 1);
    if (field.size() > family.size() && field.starts_with(family)) return entry.purpose;
  }
  return {};
}

}  // namespace qarion::secrets::core
