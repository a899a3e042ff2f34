#include "cli/scrub_options.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/ascii.h"
#include "core/files.h"
#include "core/join.h"
#include "core/spelling.h"

namespace qarion::secrets::cli {
namespace {

struct NamedForm {
  std::string_view name;
  ScrubForm form;
};
constexpr std::array<NamedForm, kScrubFormCount> kForms = {{{"raw", ScrubForm::kRaw},
                                                            {"lines", ScrubForm::kLines},
                                                            {"parts", ScrubForm::kParts},
                                                            {"base64", ScrubForm::kBase64},
                                                            {"hex", ScrubForm::kHex},
                                                            {"percent", ScrubForm::kPercent},
                                                            {"json", ScrubForm::kJson},
                                                            {"shell", ScrubForm::kShell},
                                                            {"xml", ScrubForm::kXml},
                                                            {"c", ScrubForm::kC},
                                                            {"utf16", ScrubForm::kUtf16}}};

// What resembles no form may be anything, so it is not shown.
Error UnknownForm(std::string_view given, std::size_t position) {
  std::vector<std::string> names = {"all"};
  for (const NamedForm& form : kForms) names.emplace_back(form.name);
  const std::string known = "there are " + core::Join(names);
  const auto nearest = core::Nearest(given, names);
  return Error(ErrorCode::kUsage,
               nearest ? "--forms: there is no form '" + std::string(given) + "'"
                       : "--forms: item " + std::to_string(position) + " is not the name of a form")
      .Cure(nearest ? "did you mean " + std::string(*nearest) + "? " + known : known);
}

bool IsDirectory(const std::string& path) {
  struct stat status{};
  return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

Status CheckMask(const std::string& mask) {
  if (mask.empty()) {
    return Error(ErrorCode::kUsage, "--mask is empty")
        .Cure(
            "name a text: where nothing is left in a value's place, what stands around it may "
            "become a value");
  }
  if (std::ranges::any_of(mask, core::IsControl)) {
    return Error(ErrorCode::kUsage, "--mask contains a line break or another control character")
        .Cure("leave them out");
  }
  return {};
}

Status CheckPaths(const ScrubOptions& options) {
  const bool in_trees = options.find || options.in_place;
  for (const std::string& path : options.paths) {
    if (path.empty()) {
      return Error(ErrorCode::kUsage, "the name of a file is empty")
          .Cure("name a file, or leave it out for standard input");
    }
    if (path == "-" && options.in_place) {
      return Error(ErrorCode::kUsage, "--in-place: standard input is no file")
          .Cure("name files, or leave out --in-place");
    }
    if (!in_trees && IsDirectory(path)) {
      return Error(ErrorCode::kUsage, "'" + core::ShownPath(path) + "' is a directory")
          .Cure("add --find to look for values in its files, or --in-place to mask them there");
    }
  }
  return {};
}

}  // namespace

Result<ScrubForms> ParseForms(std::string_view text) {
  ScrubForms forms;
  std::size_t position = 0;
  for (bool more = true; more;) {
    ++position;
    const std::size_t comma = text.find(',');
    more = comma != std::string_view::npos;
    const std::string_view name = core::Trimmed(text.substr(0, comma), " \t");
    if (more) text.remove_prefix(comma + 1);
    const auto form = std::ranges::find(kForms, name, &NamedForm::name);
    if (form != kForms.end()) {
      forms.Add(form->form);
    } else if (name == "all") {
      forms = ScrubForms::All();
    } else {
      return UnknownForm(name, position);
    }
  }
  return forms;
}

Status CheckScrubOptions(const ScrubOptions& options) {
  if (options.find && options.in_place) {
    return Error(ErrorCode::kUsage, "--find changes nothing, --in-place does")
        .Cure("leave out one of them");
  }
  if (options.in_place && options.paths.empty()) {
    return Error(ErrorCode::kUsage, "--in-place: there is no file")
        .Cure("name files or directories behind it");
  }
  if (options.mask) {
    if (Status checked = CheckMask(*options.mask); !checked) return checked;
  }
  return CheckPaths(options);
}

Result<ScrubberOptions> ScrubbingOf(const ScrubOptions& options) {
  auto forms = ParseForms(options.forms);
  if (!forms) return std::move(forms).error();
  ScrubberOptions scrubbing{.forms = *forms, .min_length = options.min_length};
  if (options.mask) scrubbing.mask = *options.mask;
  return scrubbing;
}

}  // namespace qarion::secrets::cli
