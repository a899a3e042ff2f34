// How a row is named in reports.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "qarion/secrets/result.h"
#include "rotate/postgres/catalogue.h"
#include "rotate/postgres/connection.h"

namespace qarion::secrets::rotate::postgres {

// "ctid=(3,14)": the place of the row in its table's file.
std::string PlaceOf(std::uint64_t locator);

// Remembers what names the rows of each table.
class RowNames {
 public:
  // "id=17", "tenant='a', n=3", by the key of the plan, the primary key or another unique one
  // without nulls, never by a column that the plan encrypts; else, and where the row is not to be
  // seen at this place, PlaceOf().
  Result<std::string> Name(Connection& connection, const Table& table, std::uint64_t locator);

 private:
  struct KeyColumn {
    std::string name;
    bool is_number = false;
  };
  Result<const std::vector<KeyColumn>*> KeyOf(Connection& connection, const Table& table);

  std::map<std::uint64_t, std::vector<KeyColumn>> keys_;  // by the table's id
};

}  // namespace qarion::secrets::rotate::postgres
