#include "rotate/postgres/host_list.h"

#include <gtest/gtest.h>

namespace qarion::secrets::rotate::postgres {
namespace {

void ExpectAfter(const HostList& all, const HostList& current, const HostList& expected) {
  const auto after = HostsAfter(all, current);
  ASSERT_TRUE(after) << all.host << all.hostaddr;
  EXPECT_EQ(after->host, expected.host);
  EXPECT_EQ(after->hostaddr, expected.hostaddr);
  EXPECT_EQ(after->port, expected.port);
}

// The lists as libpq gives them for the addresses in remarks.
TEST(HostList, NamesTheHostsAfterTheOneThatIsTried) {
  // host=a,b,c port=1
  ExpectAfter({"a,b,c", "", "1"}, {"a", "", "1"}, {"b,c", "", "1,1"});
  ExpectAfter({"b,c", "", "1,1"}, {"b", "", "1"}, {"c", "", "1"});
  // postgresql://a,b/
  ExpectAfter({"a,b", "", ","}, {"a", "", "5432"}, {"b", "", "5432"});
  // postgresql://a:1,b,c:2/
  ExpectAfter({"a,b,c", "", "1,,2"}, {"a", "", "1"}, {"b,c", "", "5432,2"});
  // host=a,a port=1,2
  ExpectAfter({"a,a,b", "", "1,2,3"}, {"a", "", "2"}, {"b", "", "3"});
  // hostaddr=10.0.0.1,10.0.0.2
  ExpectAfter({"", "10.0.0.1,10.0.0.2", ""}, {"10.0.0.1", "10.0.0.1", "5432"},
              {"", "10.0.0.2", "5432"});
  ExpectAfter({"a,b", "10.0.0.1,10.0.0.2", "1"}, {"a", "10.0.0.1", "1"}, {"b", "10.0.0.2", "1"});
}

TEST(HostList, EndsWithTheLastOne) {
  EXPECT_FALSE(HostsAfter({"a", "", "1"}, {"a", "", "1"}));
  EXPECT_FALSE(HostsAfter({"", "", ""}, {"/run/postgresql", "", "5432"}));
  EXPECT_FALSE(HostsAfter({"a,b", "", ","}, {"b", "", "5432"}));
  // host=a, of which the second is libpq's own choice
  EXPECT_FALSE(HostsAfter({"a,", "", "1"}, {"a", "", "1"}));
}

}  // namespace
}  // namespace qarion::secrets::rotate::postgres
