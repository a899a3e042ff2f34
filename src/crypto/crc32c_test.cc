#include "crypto/crc32c.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>

#include "core/json_document.h"
#include "tests/support/vectors.h"

namespace qarion::secrets::crypto {
namespace {

// RFC 3720, 12.1, bit by bit: the polynomial 0x11EDC6F41 in reverse, the register filled with ones
// before and complemented after.
std::uint32_t Definition(std::string_view bytes) {
  std::uint32_t value = 0xffffffff;
  for (const char c : bytes) {
    value ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit)
      value = (value & 1) != 0 ? value >> 1 ^ 0x82f63b78 : value >> 1;
  }
  return ~value;
}

void ExpectBothAre(std::uint32_t expected, std::string_view bytes) {
  EXPECT_EQ(Crc32c(bytes), expected) << bytes.size() << " bytes";
  EXPECT_EQ(Crc32cPortable(bytes), expected) << bytes.size() << " bytes";
}

std::string Random(std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::string bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>(random());
  return bytes;
}

// RFC 3720, B.4, which prints the bytes of the checksum in the order of the wire, the lowest first.
TEST(Crc32c, HasTheExamplesOfTheStandard) {
  std::string ascending;
  for (char c = 0; c < 32; ++c) ascending += c;
  ExpectBothAre(0x8a9136aa, std::string(32, '\0'));
  ExpectBothAre(0x62a8ab43, std::string(32, '\xff'));
  ExpectBothAre(0x46dd794e, ascending);
  ExpectBothAre(0x113fdb5c, std::string(ascending.rbegin(), ascending.rend()));
  constexpr std::string_view kReadCommand(
      "\x01\xc0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x14\0\0\0\0\0\x04\0\0\0\0\x14\0\0\0\x18"
      "\x28\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0",
      48);
  ExpectBothAre(0xd9963a56, kReadCommand);
}

// The check value of the catalogue of parametrised CRC algorithms: "CRC-32/ISCSI".
TEST(Crc32c, HasTheCheckValueOfTheCatalogue) { ExpectBothAre(0xe3069283, "123456789"); }

// What google-crc32c makes of these.
TEST(Crc32c, HasTheValuesOfGooglesLibrary) {
  const auto golden = test::FindVectors("cloud/gcp_golden.json");
  if (!golden) GTEST_SKIP() << "cloud/gcp_golden.json " << test::kNoVectors;
  const auto file = core::JsonDocument::Parse(test::ReadText(*golden), "golden");
  ASSERT_TRUE(file) << file.error().reason();
  for (const std::string_view text : {"123456789", "abc", R"({"password":"p2"})"}) {
    const auto value = (*file)["crc32c"][text].Integer();
    ASSERT_TRUE(value) << text;
    ExpectBothAre(static_cast<std::uint32_t>(*value), text);
  }
}

TEST(Crc32c, IsZeroForNothing) {
  ExpectBothAre(0, {});
  ExpectBothAre(0, std::string_view(nullptr, 0));
}

TEST(Crc32c, AgreesWithTheDefinitionAtEachLengthAndAlignment) {
  const std::string bytes = Random(512, 1);
  for (std::size_t offset = 0; offset < 16; ++offset) {
    for (std::size_t size = 0; size <= 300; ++size) {
      const auto piece = std::string_view(bytes).substr(offset, size);
      ExpectBothAre(Definition(piece), piece);
    }
  }
}

// Around the lengths from which on several streams are calculated at once.
TEST(Crc32c, AgreesWithTheDefinitionForLongTexts) {
  const std::string bytes = Random(70'000, 2);
  for (const std::size_t around : {2048U, 4096U, 6144U, 8192U, 12'288U, 18'432U, 65'536U}) {
    for (std::size_t size = around - 9; size <= around + 9; ++size) {
      const auto piece = std::string_view(bytes).substr(size % 8, size);
      ExpectBothAre(Definition(piece), piece);
    }
  }
}

TEST(Crc32c, FindsEachChangedBit) {
  std::string bytes = Random(6200, 3);
  const std::uint32_t sum = Crc32c(bytes);
  for (std::size_t bit = 0; bit < 8 * bytes.size(); bit += 7) {
    bytes[bit / 8] ^= static_cast<char>(1 << bit % 8);
    EXPECT_NE(Crc32c(bytes), sum) << bit;
    bytes[bit / 8] ^= static_cast<char>(1 << bit % 8);
  }
}

}  // namespace
}  // namespace qarion::secrets::crypto
