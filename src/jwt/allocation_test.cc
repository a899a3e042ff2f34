#include <gtest/gtest.h>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "jwt/compact.h"
#include "qarion/secrets/jwt_signer.h"
#include "qarion/secrets/jwt_verifier.h"
#include "tests/support/allocation_counter.h"

namespace qarion::secrets::jwt {
namespace {

constexpr std::size_t kRounds = 1000;

// Of each round; the first ones find room that stays.
double AllocationsOf(const std::function<void()>& round) {
  for (int i = 0; i < 10; ++i) round();
  const std::size_t before = test::AllocationCount();
  for (std::size_t i = 0; i < kRounds; ++i) round();
  return static_cast<double>(test::AllocationCount() - before) / kRounds;
}

ClaimsBuilder Claims() {
  static const std::vector<std::string> roles = {"reader", "editor"};
  ClaimsBuilder claims;
  claims.Issuer("https://auth.example.com/")
      .Subject("user-0123456789")
      .Id("5f3a9c1e7b2d4806")
      .Text("scope", "read write")
      .Texts("roles", roles);
  return claims;
}

class JwtAllocations : public testing::Test {
 protected:
  const Secret current_ = *GenerateKey();
  const Secret previous_ = *GenerateKey();
  const Signer signer_ = *Signer::With(current_.Share());
  const Signer other_signer_ = *Signer::With(*GenerateKey());
  const Verifier verifier_ =
      Verifier::With({.current = current_.Share(), .previous = previous_.Share()});
  const std::string valid_ = *signer_.Sign(Claims());

  double Verifying(std::string_view token, bool is_valid = false) const {
    return AllocationsOf([&] { ASSERT_EQ(verifier_.Verify(token).has_value(), is_valid); });
  }
};

TEST_F(JwtAllocations, ATokenIsAllThatSigningTakes) {
  const ClaimsBuilder claims = Claims();
  EXPECT_EQ(AllocationsOf([&] { ASSERT_TRUE(signer_.Sign(claims)); }), 1);
}

// The object, its text, and the room of the members.
TEST_F(JwtAllocations, ClaimsAreAllThatVerifyingTakes) {
  EXPECT_LE(Verifying(valid_, true), 3);
  EXPECT_EQ(Verifying(valid_, true), Verifying(*signer_.Sign(ClaimsBuilder()), true));
}

TEST_F(JwtAllocations, ReadingAnotherHeaderEachTimeTakesNothing) {
  const Signer previous_signer = *Signer::With(previous_.Share());
  const std::string other = *previous_signer.Sign(Claims());
  const double of_both = AllocationsOf([&] {
    ASSERT_TRUE(verifier_.Verify(valid_));
    ASSERT_TRUE(verifier_.Verify(other));
  });
  EXPECT_EQ(of_both, 2 * Verifying(valid_, true));
}

// Which has more where its code is longer.
TEST_F(JwtAllocations, ARejectionTakesNothingBeyondItsError) {
  const double of_error = Verifying("x");
  const std::string shape = valid_.substr(0, valid_.rfind('.'));
  for (const std::string& token :
       {shape, valid_ + '=', valid_ + '.', std::string(1 << 20, 'A'), "e30" + shape + ".AAAA",
        "eyJhbGciOiJub25lIn0" + valid_.substr(valid_.find('.')), valid_ + "AAAA",
        *other_signer_.Sign(Claims())}) {
    EXPECT_LE(Verifying(token), of_error + 2) << token.substr(0, 400);
  }
}

}  // namespace
}  // namespace qarion::secrets::jwt
