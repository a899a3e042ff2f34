// What to say where the scrubber cannot work as it was told to.
#pragma once

namespace qarion::secrets::cli {

// Says on standard error where QARION_SECRETS_ISA names no instruction set that this machine has.
// The library takes the fastest then, and says nothing.
void WarnOfUnknownKernels();

}  // namespace qarion::secrets::cli
