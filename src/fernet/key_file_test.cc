#include "fernet/key_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/temporary_directory.h"

namespace qarion::secrets::fernet {
namespace {

using testing::HasSubstr;

constexpr auto kOwnerOnly =
    std::filesystem::perms::owner_read | std::filesystem::perms::owner_write;
constexpr char kWhat[] = "--key-file";
const std::string kOne = "ZmFrZS1rZXktb2YtMzItYnl0ZXMtZm9yLXRlc3RzLi4=";
const std::string kTwo = "ZmFrZS1rZXktb2YtMzItYnl0ZXMtZm9yLXRlc3RzLjI=";

class KeyFile : public testing::Test {
 protected:
  std::string Path(const std::string& name) const { return directory_.Path(name); }
  std::string Write(const std::string& text) const { return directory_.Write("keys", text); }

  std::vector<std::string> KeysIn(const std::string& text) const {
    const auto keys = ReadKeyFile(Write(text), kWhat);
    EXPECT_TRUE(keys) << keys.error().reason();
    std::vector<std::string> texts;
    for (const FernetKey& key : *keys) texts.emplace_back(key.Encode().Reveal());
    return texts;
  }

  void ExpectRefused(const std::string& text, const std::string& reason) const {
    const auto keys = ReadKeyFile(Write(text), kWhat);
    ASSERT_FALSE(keys) << reason;
    EXPECT_EQ(keys.error().code(), ErrorCode::kConfiguration);
    EXPECT_THAT(keys.error().reason(), HasSubstr("--key-file"));
    EXPECT_THAT(keys.error().reason(), HasSubstr(reason));
    EXPECT_THAT(keys.error().reason(), testing::Not(HasSubstr(kOne.substr(0, 8))));
    EXPECT_NE(keys.error().cure(), "");
  }

  const test::TemporaryDirectory directory_;
};

TEST_F(KeyFile, HoldsAKeyALineWithOrWithoutItsLastLineBreak) {
  using Keys = std::vector<std::string>;
  EXPECT_EQ(KeysIn(kOne), Keys{kOne});
  EXPECT_EQ(KeysIn(kOne + "\n"), Keys{kOne});
  EXPECT_EQ(KeysIn(kOne + "\r\n"), Keys{kOne});
  EXPECT_EQ(KeysIn(kOne + "\n" + kTwo), (Keys{kOne, kTwo}));
  EXPECT_EQ(KeysIn(kTwo + "\r\n" + kOne + "\r\n"), (Keys{kTwo, kOne}));
}

TEST_F(KeyFile, HasNoOtherWhiteSpace) {
  for (const std::string& text :
       {" " + kOne, kOne + " ", kOne + "\r", "\t" + kOne + "\n", kOne + " \n", kOne + "\r\r\n"}) {
    ExpectRefused(text, "has white space in it or around it");
  }
  ExpectRefused(kOne + "\n\n", "line 2 of '" + Path("keys") + "' has 0 characters");
  ExpectRefused("\n" + kOne, "line 1 of '" + Path("keys") + "' has 0 characters");
  ExpectRefused("\n", "has 0 characters");
  ExpectRefused(kOne + kTwo, "has 88 characters");
}

TEST_F(KeyFile, HasAKeyInIt) {
  ExpectRefused("", "is empty");
  const auto none = ReadKeyFile(Path("missing"), kWhat);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code(), ErrorCode::kConfiguration);
  EXPECT_THAT(none.error().reason(), HasSubstr("No such file"));
}

TEST_F(KeyFile, IsPutBackWhereItIsDamaged) {
  for (const std::string& text : {std::string(), kOne.substr(1), kOne + "\n" + kOne.substr(1)}) {
    const auto keys = ReadKeyFile(Write(text), kWhat);
    ASSERT_FALSE(keys);
    EXPECT_THAT(keys.error().cure(), testing::StartsWith("put the right key there"));
  }
}

TEST_F(KeyFile, IsOfALimitedSize) {
  ExpectRefused(std::string(std::size_t{64} * 1024 + 1, 'x'),
                "larger than the limit of 65536 bytes");
}

TEST_F(KeyFile, IsNotTheKeyItself) {
  const auto read = ReadKeyFile(kOne, kWhat);
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().reason(), HasSubstr("is a key where the path"));
  EXPECT_THAT(read.error().reason(), testing::Not(HasSubstr(kOne)));
  EXPECT_FALSE(WriteNewKeyFile(kOne, *FernetKey::Generate(), "--out"));
  EXPECT_FALSE(std::filesystem::exists(kOne));
}

TEST_F(KeyFile, IsReadFromADescriptor) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  ASSERT_EQ(write(ends[1], kOne.data(), kOne.size()), static_cast<ssize_t>(kOne.size()));
  close(ends[1]);
  const auto keys = ReadKeyFile("/dev/fd/" + std::to_string(ends[0]), kWhat);
  close(ends[0]);
  ASSERT_TRUE(keys);
  EXPECT_EQ(keys->front().Encode().Reveal(), kOne);
}

TEST_F(KeyFile, IsWrittenForItsOwnerAloneWhateverTheUmask) {
  const FernetKey key = *FernetKey::Generate();
  for (const mode_t mask : {0U, 022U, 0777U}) {
    const std::string path = Path("key-" + std::to_string(mask));
    const mode_t before = umask(mask);
    const Status written = WriteNewKeyFile(path, key, "--out");
    umask(before);
    ASSERT_TRUE(written) << written.error().reason();
    EXPECT_EQ(std::filesystem::status(path).permissions(), kOwnerOnly);
    EXPECT_EQ(directory_.Read("key-" + std::to_string(mask)), key.Encode().Reveal());
    EXPECT_TRUE(ReadKeyFile(path, kWhat)->front().ConstantTimeEquals(key));
  }
}

TEST_F(KeyFile, IsNeverOverwritten) {
  const std::string path = Write("fake-content");
  std::filesystem::create_symlink("nowhere", Path("link"));
  for (const std::string& taken : {path, Path("link"), Path(".")}) {
    const Status written = WriteNewKeyFile(taken, *FernetKey::Generate(), "--out");
    ASSERT_FALSE(written) << taken;
    EXPECT_EQ(written.error().code(), ErrorCode::kIo);
    EXPECT_THAT(written.error().reason(), HasSubstr("--out: cannot write"));
  }
  EXPECT_EQ(directory_.Read("keys"), "fake-content");
  EXPECT_FALSE(std::filesystem::exists(Path("nowhere")));
}

TEST_F(KeyFile, IsNotLeftBehindWhereItCannotBeWritten) {
  EXPECT_FALSE(WriteNewKeyFile(Path("missing/key"), *FernetKey::Generate(), "--out"));
  // As on a full disk: no file may have more than 10 bytes.
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit tiny = before;
  tiny.rlim_cur = 10;
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &tiny), 0);
  const Status written = WriteNewKeyFile(Path("key"), *FernetKey::Generate(), "--out");
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code(), ErrorCode::kIo);
  EXPECT_FALSE(std::filesystem::exists(Path("key")));
}

}  // namespace
}  // namespace qarion::secrets::fernet
