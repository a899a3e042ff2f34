// Reading a descriptor to its end.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "qarion/secrets/error.h"

namespace qarion::secrets::cli {

// Calls `take` for each piece that is read, of 256 KiB at most, until the end or until it returns
// false. Returns the number of the error that ended it, or 0.
int ReadPieces(int descriptor, const std::function<bool(std::string_view)>& take);

// What to say where it ended with that error, or could not begin. `what`: "'app.log'", or "standard
// input". kIo.
Error CannotRead(const std::string& what, int error);

// Makes room for 1 MiB in a pipe, where it is one and the kernel allows it: the two sides wait for
// each other less often.
void WidenPipe(int descriptor);

}  // namespace qarion::secrets::cli
