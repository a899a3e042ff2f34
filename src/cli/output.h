// Writing to standard output, with every failure noticed.
#pragma once

#include <string>
#include <string_view>

#include "qarion/secrets/result.h"

namespace qarion::secrets::cli {

// What to say where writing to standard output failed. kIo.
Error CannotWriteOutput(int error);

// Writes all of it. kIo: closed, disk full, or the reader is gone.
Status WriteOutput(std::string_view bytes);

// Writes all of it and returns the exit status: 0, or what Report() says of the failure.
int Print(std::string_view bytes);

// A line for people: a name, and from the same column on what is said of it, made printable.
std::string NamedLine(std::string name, const std::string& text);

bool OutputIsTerminal() noexcept;

// Whether to colour: on a terminal, unless NO_COLOR is set (https://no-color.org).
bool OutputIsColoured();

}  // namespace qarion::secrets::cli
