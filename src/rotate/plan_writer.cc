#include <algorithm>
#include <span>
#include <string>

#include "core/ascii.h"
#include "core/printable.h"
#include "rotate/plan.h"

namespace qarion::secrets::rotate {
namespace {

// A basic string of TOML. C1 (U+0080 to U+009F) is escaped as well: some terminals obey it.
std::string Quoted(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string quoted = "\"";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_c1 = core::BeginsWithC1(text.substr(i));
    if (is_c1) ++i;
    const char c = text[i];
    if (is_c1 || core::IsControl(c)) {
      quoted += "\\u00";
      quoted += kDigits[static_cast<unsigned char>(c) >> 4];
      quoted += kDigits[c & 0xf];
      continue;
    }
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

std::string QuotedList(std::span<const std::string> texts) {
  std::string list = "[";
  for (const std::string& text : texts) {
    if (list.size() > 1) list += ", ";
    list += Quoted(text);
  }
  return list + "]";
}

// A name that ParsePlan takes for one even where it has a dot in it.
std::string SqlName(std::string_view name) {
  if (name.find_first_of(".\"") == name.npos) return std::string(name);
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::string WholeName(std::string_view schema, std::string_view name) {
  return Quoted(schema.empty() ? SqlName(name) : SqlName(schema) + "." + SqlName(name));
}

void WriteColumn(const ColumnPlan& column, std::string& out) {
  out += "\n  [[table.column]]\n  name = " + Quoted(column.name) + "\n";
  if (column.shape == Shape::kBytes) out += "  shape = \"bytea\"\n";
  if (column.shape == Shape::kJson) {
    std::vector<std::string> paths;
    for (const JsonPath& path : column.paths) paths.push_back(path.text);
    out += "  shape = \"json\"\n  paths = " + QuotedList(paths) + "\n";
  }
  if (!column.prefix.empty()) out += "  prefix = " + Quoted(column.prefix) + "\n";
  if (column.plaintext == PlaintextPolicy::kSkip) out += "  plaintext = \"skip\"\n";
  if (column.plaintext == PlaintextPolicy::kEncrypt) out += "  plaintext = \"encrypt\"\n";
}

// Comments of TOML have no control characters.
void WriteRemark(std::string_view remark, std::string& out) {
  for (std::size_t begin = 0; begin < remark.size();) {
    const std::size_t end = std::min(remark.find('\n', begin), remark.size());
    out += "# " + core::Printable(std::string(remark.substr(begin, end - begin))) + "\n";
    begin = end + 1;
  }
}

}  // namespace

std::string WritePlan(const Plan& plan, const std::vector<std::string>& remarks) {
  std::string out;
  const Plan usual;
  if (plan.audit_table != usual.audit_table || plan.audit_schema != usual.audit_schema) {
    out += "audit_table = " + WholeName(plan.audit_schema, plan.audit_table) + "\n";
  }
  for (std::size_t i = 0; i < plan.tables.size(); ++i) {
    const TablePlan& table = plan.tables[i];
    if (!out.empty()) out += "\n";
    if (i < remarks.size()) WriteRemark(remarks[i], out);
    out += "[[table]]\nname = " + WholeName(table.schema, table.name) + "\n";
    if (!table.key.empty()) out += "key = " + QuotedList(table.key) + "\n";
    if (!table.where.empty()) out += "where = " + Quoted(table.where) + "\n";
    for (const ColumnPlan& column : table.columns) WriteColumn(column, out);
  }
  return out;
}

}  // namespace qarion::secrets::rotate
