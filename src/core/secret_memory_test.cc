#include "core/secret_memory.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <new>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

// The sanitizers make mlock(2) do nothing and end a process that faults in their own way.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define QARION_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define QARION_SANITIZER 1
#endif
#endif

namespace qarion::secrets::core {
namespace {

// The VmFlags of the mapping that contains `address`, as /proc/self/smaps has them
// (proc_pid_smaps(5): "lo" locked in memory, "dd" not included in core dumps).
std::string MappingFlags(const void* address) {
  const auto wanted = reinterpret_cast<std::uintptr_t>(address);
  std::ifstream smaps("/proc/self/smaps");
  bool inside = false;
  for (std::string line; std::getline(smaps, line);) {
    unsigned long begin = 0;
    unsigned long end = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &begin, &end) == 2) {
      inside = begin <= wanted && wanted < end;
    }
    if (inside && line.starts_with("VmFlags:")) return line + " ";
  }
  return {};
}

struct Block {
  explicit Block(std::size_t bytes) : size(bytes), memory(AllocateSecretMemory(bytes)) {}
  ~Block() { ReleaseSecretMemory(memory, size); }
  Block(const Block&) = delete;
  std::size_t size;
  void* memory;
};

TEST(SecretMemory, IsLockedAndOutOfCoreDumps) {
  for (const std::size_t size : {1ul, 100ul, 16'384ul, 100'000ul}) {
    const Block block(size);
    const std::string flags = MappingFlags(block.memory);
    EXPECT_NE(flags.find(" dd "), std::string::npos) << size << flags;
#ifndef QARION_SANITIZER
    EXPECT_NE(flags.find(" lo "), std::string::npos) << size << flags;
#endif
  }
}

TEST(SecretMemory, IsAligned) {
  for (std::size_t size = 1; size < 40'000; size = size * 3 + 1) {
    const Block block(size);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block.memory) % 16, 0u);
  }
}

TEST(SecretMemory, DoesNotHandOutTheSameBytesTwice) {
  std::vector<std::unique_ptr<Block>> blocks;
  for (std::size_t i = 0; i < 500; ++i) {
    blocks.push_back(std::make_unique<Block>(1 + i * 37 % 20'000));
    std::memset(blocks.back()->memory, static_cast<int>(i % 251), blocks.back()->size);
  }
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const auto* bytes = static_cast<const unsigned char*>(blocks[i]->memory);
    ASSERT_TRUE(std::all_of(bytes, bytes + blocks[i]->size,
                            [&](unsigned char byte) { return byte == i % 251; }));
  }
}

TEST(SecretMemory, IsZeroWhenReused) {
  void* first = AllocateSecretMemory(64);
  std::memset(first, 'x', 64);
  ReleaseSecretMemory(first, 64);
  const Block second(64);
  ASSERT_EQ(second.memory, first) << "the block was expected to be reused";
  const std::string zeros(64, '\0');
  EXPECT_EQ(std::memcmp(second.memory, zeros.data(), 64), 0);
}

TEST(CopySecretBytes, CopiesAnyNumberOfBytesAndNoMore) {
  std::string source(600, ' ');
  for (std::size_t i = 0; i < source.size(); ++i) source[i] = static_cast<char>('A' + i % 57);
  for (std::size_t size = 0; size < source.size(); ++size) {
    std::string target(size + 2, '.');
    CopySecretBytes(target.data() + 1, source.data(), size);
    EXPECT_EQ(target, '.' + source.substr(0, size) + '.');
  }
}

TEST(SecretMemory, GivesLargeBlocksBackToTheKernel) {
  const auto before = GetSecretMemoryStatus();
  {
    const Block block(1'000'000);
  }
  EXPECT_EQ(GetSecretMemoryStatus().mapped_bytes, before.mapped_bytes);
}

TEST(SecretMemory, MayBeUsedByManyThreads) {
  std::vector<std::jthread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([t] {
      for (std::size_t i = 0; i < 2000; ++i) {
        const Block block(1 + i % 300);
        std::memset(block.memory, t, block.size);
        const auto* bytes = static_cast<const char*>(block.memory);
        ASSERT_TRUE(std::all_of(bytes, bytes + block.size, [t](char byte) { return byte == t; }));
      }
    });
  }
}

#ifndef QARION_SANITIZER
TEST(SecretMemoryDeathTest, EndsTheProcessOnAReadPastALargeBlock) {
  const Block block(1'048'576);
  const volatile char* bytes = static_cast<const char*>(block.memory);
  EXPECT_EXIT(static_cast<void>(bytes[block.size]), testing::KilledBySignal(SIGSEGV), "");
  EXPECT_EXIT(static_cast<void>(bytes[-1]), testing::KilledBySignal(SIGSEGV), "");
}

constexpr std::size_t kMoreThanThereIs = std::size_t{1} << 60;

TEST(SecretMemoryDeathTest, EndsTheProcessWhereThereIsNone) {
  EXPECT_EXIT(AllocateSecretMemory(kMoreThanThereIs), testing::KilledBySignal(SIGABRT),
              "no memory for a secret of 1152921504606846976 bytes");
}

TEST(SecretMemoryDeathTest, AsksTheProgramsHandlerWhereThereIsNone) {
  EXPECT_EXIT(
      {
        std::set_new_handler([] { std::_Exit(3); });
        AllocateSecretMemory(kMoreThanThereIs);
      },
      testing::ExitedWithCode(3), "");
}

TEST(SecretMemory, IsAsItWasAfterAHandlerThatThrows) {
  const Block before(100'000);
  const std::size_t mapped = GetSecretMemoryStatus().mapped_bytes;
  const std::size_t in_use = GetSecretMemoryStatus().in_use_bytes;
  const std::new_handler handler = std::set_new_handler([] { throw std::bad_alloc(); });
  EXPECT_THROW(AllocateSecretMemory(kMoreThanThereIs), std::bad_alloc);
  std::set_new_handler(handler);
  EXPECT_EQ(GetSecretMemoryStatus().mapped_bytes, mapped);
  EXPECT_EQ(GetSecretMemoryStatus().in_use_bytes, in_use);
  const Block after(100'000);
}

// In a child of its own: the limit and the one warning are the process's.
TEST(SecretMemory, WarnsOnceWhereLockingIsRefusedAndStaysOutOfDumps) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const rlimit none{0, 0};
    setrlimit(RLIMIT_MEMLOCK, &none);
    // Without CAP_IPC_LOCK the limit binds; root has the capability.
    const bool limited = geteuid() != 0 || setuid(65534) == 0;
    int warnings = 0;
    bool says_how = false;
    SetSecretMemoryWarningHandler([&](std::string_view line) {
      ++warnings;
      says_how = line.find("ulimit -l") != std::string_view::npos;
    });
    void* first = AllocateSecretMemory(100'000);
    void* second = AllocateSecretMemory(100'000);
    static_cast<char*>(first)[0] = 'x';
    static_cast<char*>(second)[0] = 'x';
    const bool excluded = MappingFlags(first).find(" dd ") != std::string::npos;
    _exit(limited && warnings == 1 && says_how && excluded ? 0 : 10 + warnings);
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}
#endif

TEST(SecretVector, LivesInSecretMemory) {
  SecretVector<char> bytes(100, 'x');
  EXPECT_NE(MappingFlags(bytes.data()).find(" dd "), std::string::npos);
}

}  // namespace
}  // namespace qarion::secrets::core
