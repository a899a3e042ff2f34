// How rare bytes are in logs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace qarion::secrets::scrub {

// About the logarithm of how seldom each byte is met. What is rare in a text of words, numbers,
// digests and markup is a good thing to look for: capitals, rare letters and signs, and control
// characters but those of white space.
inline constexpr std::array<std::uint8_t, 256> kRarity = [] {
  std::array<std::uint8_t, 256> rarity{};
  rarity.fill(9);
  const auto set = [&](std::string_view bytes, std::uint8_t how_rare) {
    for (const char c : bytes) rarity[static_cast<unsigned char>(c)] = how_rare;
  };
  set(" \t\n\r", 1);
  set("\":-./_=,[](){}012", 3);
  set("3456789etaoinsr", 4);
  set("hldcumpfg';<>|", 5);
  set("bwy", 6);
  set("vk%&?+@", 7);
  set("jxqzABCDEFGHIJKLMNOPQRSTUVWXYZ", 8);
  return rarity;
}();

}  // namespace qarion::secrets::scrub
