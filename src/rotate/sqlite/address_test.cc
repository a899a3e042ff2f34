#include "rotate/sqlite/address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/temporary_directory.h"

namespace qarion::secrets::rotate::sqlite {
namespace {

using testing::HasSubstr;

std::string Path(std::string_view address) {
  const auto path = PathOf(address);
  return path ? *path : path.error().reason() + "; " + path.error().cure();
}

TEST(SqliteAddressTest, HasThePathAfterTheScheme) {
  EXPECT_EQ(Path("sqlite:/srv/app.db"), "/srv/app.db");
  EXPECT_EQ(Path("sqlite:app.db"), "app.db");
  EXPECT_EQ(Path("sqlite:./a b?c%20.db"), "./a b?c%20.db");
}

// https://docs.sqlalchemy.org/en/20/core/engines.html#sqlite
TEST(SqliteAddressTest, IsReadAsSqlAlchemyReadsIt) {
  EXPECT_EQ(Path("sqlite:///foo.db"), "foo.db");
  EXPECT_EQ(Path("sqlite:////absolute/path/to/foo.db"), "/absolute/path/to/foo.db");
  EXPECT_EQ(Path("sqlite:///a%20b.db"), "a%20b.db");
}

TEST(SqliteAddressTest, NamesAFile) {
  for (const char* address :
       {"sqlite:", "sqlite://", "sqlite:///",
        "sqlite::memory:", "sqlite:///:memory:", "sqlite://host/app.db", "sqlite:///a.db?mode=ro",
        "postgresql:///app", "app.db", "SQLITE:app.db", ""}) {
    const auto path = PathOf(address);
    ASSERT_FALSE(path) << address;
    EXPECT_EQ(path.error().code(), ErrorCode::kConfiguration);
    EXPECT_FALSE(path.error().cure().empty());
  }
  EXPECT_FALSE(PathOf(std::string_view("sqlite:a\0b", 10)));
}

TEST(SqliteAddressTest, OfAFileThatIsNotThereIsAnError) {
  const test::TemporaryDirectory directory;
  const Status missing = CheckFile(directory.Path("app.db"));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code(), ErrorCode::kConfiguration);
  EXPECT_THAT(missing.error().reason(), HasSubstr("app.db does not exist; none is made"));
  EXPECT_THAT(CheckFile(directory.path()).error().reason(), HasSubstr("is no file"));
  EXPECT_THAT(CheckFile(directory.Write("empty.db", "")).error().reason(), HasSubstr("is empty"));
  EXPECT_TRUE(CheckFile(directory.Write("app.db", "x")));
}

TEST(SqliteAddressTest, TellsOfTheSlashThatIsMissing) {
  const test::TemporaryDirectory directory;
  const std::string path = directory.Write("app.db", "x");
  const Status missing = CheckFile(Path("sqlite:///" + path.substr(1)));
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().cure(), HasSubstr("Write sqlite:///" + path));
}

}  // namespace
}  // namespace qarion::secrets::rotate::sqlite
