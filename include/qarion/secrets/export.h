// Symbol visibility of the public API.
#pragma once

#if defined(__GNUC__)
#define QARION_SECRETS_EXPORT [[gnu::visibility("default")]]
#else
#define QARION_SECRETS_EXPORT
#endif
