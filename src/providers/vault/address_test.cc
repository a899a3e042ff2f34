#include "providers/vault/address.h"

#include <gtest/gtest.h>

namespace qarion::secrets::vault {
namespace {

TEST(Address, IsAUrlWithoutSlashAtItsEnd) {
  auto addresses = ParseAddresses("https://Vault-1:8200/", "VAULT_ADDR");
  ASSERT_TRUE(addresses);
  ASSERT_EQ(addresses->size(), 1u);
  EXPECT_EQ(addresses->front().url, "https://vault-1:8200");
  EXPECT_EQ(addresses->front().unix_socket, "");
}

TEST(Address, MayHaveAPathBeforeTheApi) {
  auto addresses = ParseAddresses("https://gateway/vault//", "VAULT_ADDR");
  ASSERT_TRUE(addresses);
  EXPECT_EQ(addresses->front().url, "https://gateway:443/vault");
}

TEST(Address, MayBeASocket) {
  auto addresses = ParseAddresses("unix:///run/bao agent.sock", "VAULT_ADDR");
  ASSERT_TRUE(addresses);
  EXPECT_EQ(addresses->front().unix_socket, "/run/bao agent.sock");
  EXPECT_EQ(addresses->front().url, "http://localhost");
}

TEST(Address, MayBeOneOfSeveral) {
  auto addresses = ParseAddresses(" https://a:1 ,http://b:2,\tunix:///c", "VAULT_ADDR");
  ASSERT_TRUE(addresses);
  ASSERT_EQ(addresses->size(), 3u);
  EXPECT_EQ((*addresses)[1].url, "http://b:2");
}

TEST(Address, IsNothingElse) {
  for (const std::string text :
       {"", " ", ",", "https://a,", "a", "a:8200", "https://u:hunter2@a", "https://a?x=hunter2",
        "https://a#f", "unix://", "unix://relative", "unix:///", "ftp://a", "https://a b",
        "https://a:1,https://a:1", "https://a\n"}) {
    auto addresses = ParseAddresses(text, "VAULT_ADDR");
    ASSERT_FALSE(addresses) << text;
    EXPECT_EQ(addresses.error().code(), ErrorCode::kConfiguration);
    EXPECT_TRUE(addresses.error().reason().starts_with("VAULT_ADDR "));
    EXPECT_EQ(addresses.error().reason().find("hunter2"), std::string::npos);
  }
  std::string many = "http://a:1";
  for (int port = 2; port < 20; ++port) many += ",http://a:" + std::to_string(port);
  EXPECT_FALSE(ParseAddresses(many, "VAULT_ADDR"));
}

}  // namespace
}  // namespace qarion::secrets::vault
