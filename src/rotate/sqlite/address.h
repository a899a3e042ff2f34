// Where a database of SQLite is.
#pragma once

#include <string>
#include <string_view>

#include "qarion/secrets/result.h"

namespace qarion::secrets::rotate::sqlite {

// The path in an address: "sqlite:" and a path, or a URL as SQLAlchemy has it, which is
// "sqlite:///" and a path: "sqlite:///app.db" is relative, "sqlite:////srv/app.db" absolute.
// Nothing in it is decoded. kConfiguration: no path; a database in memory; a host; options after ?.
Result<std::string> PathOf(std::string_view address);

// Whether the file can be a database: nothing is ever made where none is. kConfiguration: it is not
// there, empty, or no file. kNotPermitted: a directory on the way may not be looked into.
Status CheckFile(const std::string& path);

}  // namespace qarion::secrets::rotate::sqlite
