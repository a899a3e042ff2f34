// Sets libcurl up for this process.
#pragma once

namespace qarion::secrets::net {

// To be called before anything else of libcurl. It keeps requests and answers in buffers of its
// own, so it gets its memory from where secrets are kept; where other code of the program used it
// before, it keeps the memory it has. Thread-safe.
void InitializeCurl();

}  // namespace qarion::secrets::net
