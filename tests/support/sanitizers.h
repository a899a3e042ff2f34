// Which of clang's sanitizers a test is built with: some need what the test takes away.
#pragma once

namespace qarion::secrets::test {

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
inline constexpr bool kHasThreadSanitizer = true;
#else
inline constexpr bool kHasThreadSanitizer = false;
#endif
#if __has_feature(address_sanitizer)
inline constexpr bool kHasAddressSanitizer = true;
#else
inline constexpr bool kHasAddressSanitizer = false;
#endif
#else
inline constexpr bool kHasThreadSanitizer = false;
inline constexpr bool kHasAddressSanitizer = false;
#endif

}  // namespace qarion::secrets::test
