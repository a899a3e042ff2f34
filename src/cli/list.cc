#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/format.h"
#include "cli/output.h"
#include "core/field_catalog.h"
#include "core/json_writer.h"

namespace qarion::secrets::cli {
namespace {

struct ListOptions {
  std::string format;
  bool reveal = false;
  bool all = false;
};

struct Row {
  std::string name;
  const Field* field;  // null: not set
};

// The fixed fields in their order, then the members of families and what else was found.
std::vector<Row> Rows(const FieldSet& managed, const Snapshot& snapshot) {
  std::vector<Row> rows;
  const auto field_named = [&](const std::string& name) -> const Field* {
    const auto found = std::ranges::find(snapshot.fields(), name, &Field::name);
    return found == snapshot.fields().end() ? nullptr : &*found;
  };
  for (const std::string& name : managed.names()) rows.push_back({name, field_named(name)});
  for (const Field& field : snapshot.fields()) {
    if (std::ranges::find(rows, field.name, &Row::name) == rows.end()) {
      rows.push_back({field.name, &field});
    }
  }
  return rows;
}

std::size_t Widest(const std::vector<Row>& rows, std::size_t at_least) {
  for (const Row& row : rows) at_least = std::max(at_least, row.name.size());
  return at_least;
}

// Values of several lines would break the table, so control characters are shown as escapes.
void AppendOneLine(SecretBuffer& out, std::string_view value) {
  constexpr char kHexDigits[] = "0123456789abcdef";
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f) {
      out.Append(c);
    } else {
      out.Append("\\x");
      out.Append(kHexDigits[byte >> 4]);
      out.Append(kHexDigits[byte & 15]);
    }
  }
}

Secret Table(const std::vector<Row>& rows, bool reveal) {
  const bool colour = OutputIsColoured();
  const std::size_t width = Widest(rows, 5) + 2;
  const auto padded = [](std::string text, std::size_t columns) {
    text.resize(std::max(columns, text.size()), ' ');
    return text;
  };
  SecretBuffer out;
  out.Append(padded("FIELD", width) + padded("SET", 5) + "FROM\n");
  for (const Row& row : rows) {
    out.Append(padded(row.name, width));
    if (row.field == nullptr) {
      out.Append(colour ? "\033[2mno\033[0m" : "no");
    } else {
      out.Append(colour ? "\033[32myes\033[0m  " : "yes  ");
      out.Append(row.field->origin);
      if (reveal) {
        out.Append("  ");
        AppendOneLine(out, row.field->value.Reveal());
      }
    }
    out.Append('\n');
  }
  return std::move(out).Seal();
}

Secret JsonTable(const std::vector<Row>& rows) {
  core::JsonWriter json;
  json.BeginArray();
  for (const Row& row : rows) {
    json.BeginObject()
        .Key("name")
        .Text(row.name)
        .Key("set")
        .Bool(row.field != nullptr)
        .Key("origin");
    row.field == nullptr ? json.Null() : json.Text(row.field->origin);
    json.Key("purpose").Text(core::PurposeOf(row.name)).EndObject();
  }
  json.EndArray();
  return std::move(json).Take();
}

Result<Secret> Values(Format format, const std::vector<Row>& rows) {
  std::vector<NamedValue> values;
  for (const Row& row : rows) {
    if (row.field != nullptr) values.push_back({row.name, row.field->value.Reveal()});
  }
  return FormatValues(format, values);
}

int RunList(const ListOptions& options) {
  const Format format = ParseFormat(options.format);
  const bool shows_table = format == Format::kText || (format == Format::kJson && !options.reveal);
  if (!shows_table && !options.reveal) {
    return Report(Error(ErrorCode::kUsage, "--output " + options.format + " writes values")
                      .Cure("add --reveal if that is what you want, or use --output json"));
  }
  auto runtime = OpenRuntime(options.all);
  if (!runtime) return Report(runtime.error());
  auto snapshot = runtime->TakeSnapshot();
  if (!snapshot) return Report(snapshot.error());
  const std::vector<Row> rows = Rows(runtime->fields(), **snapshot);
  if (format == Format::kText) return Print(Table(rows, options.reveal).Reveal());
  if (shows_table) return Print(JsonTable(rows).Reveal());
  auto values = Values(format, rows);
  if (!values) return Report(values.error());
  return Print(values->Reveal());
}

}  // namespace

void AddList(CLI::App& app, Command& command) {
  auto options = std::make_shared<ListOptions>();
  CLI::App* list = app.add_subcommand("list", "Show which fields are set, and from where");
  AddOutputOption(*list, options->format, {"text", "json", "env", "dotenv", "yaml", "shell"});
  list->add_flag("--reveal", options->reveal,
                 "Show the values too; needed for all formats but text and json");
  list->add_flag("--all", options->all, "Every key of the secret, managed or not");
  list->footer(
      "No value is shown unless --reveal is given.\n\n"
      "Examples:\n"
      "  qsecrets list\n"
      "  qsecrets list --output json | jq -r '.[] | select(.set | not).name'\n"
      "  eval \"$(qsecrets list --reveal --output shell)\"\n"
      "  qsecrets list --reveal --output dotenv > new.env");
  list->callback([options, &command] { command = [options] { return RunList(*options); }; });
}

}  // namespace qarion::secrets::cli
