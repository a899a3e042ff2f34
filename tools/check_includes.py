#!/usr/bin/env python3
"""Checks the direction of #include lines between the directories of src/.

    core <- {crypto, net, scrub, cache} <- {aws, gcp} <- {providers, runtime} <- {fernet, jwt} <- rotate <- cli

No edge goes sideways, and each directory uses those only that it needs: aws and gcp (what clients of AWS and of
Google Cloud have in common) net and crypto, providers these four, runtime cache and scrub; a provider never sees another
provider. A public header includes public
headers and the standard library only. Third-party headers that must stay inside .cc files do.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
MAY_USE = {
    "core": set(),
    "crypto": {"core"},
    "net": {"core"},
    "scrub": {"core"},
    "cache": {"core"},
    "aws": {"core", "net", "crypto"},
    "gcp": {"core", "net", "crypto"},
    "providers": {"core", "net", "crypto", "aws", "gcp"},
    "runtime": {"core", "scrub", "cache"},
    "fernet": {"core", "crypto", "runtime"},
    "jwt": {"cache", "core", "crypto", "runtime"},
    "rotate": {"core", "crypto", "fernet", "runtime"},
    "cli": {"core", "crypto", "net", "scrub", "cache", "runtime", "fernet", "jwt", "rotate"},
}
ONLY_IN_SOURCES = ("openssl/", "curl/", "boost/", "libpq-fe.h", "sqlite3.h", "toml++/")
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')
# Gives Boost.JSON another name, for two .cc files.
RENAMES_BOOST = "boost_json.h"


def includes(path):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1), match.group(2)


def check_source(path, problems):
    if path.name.endswith("_test.cc"):
        return  # tests may use tests/support and what they compare with
    parts = path.relative_to(ROOT / "src").parts
    module = parts[0]
    for number, quote, name in includes(path):
        where = f"{path.relative_to(ROOT)}:{number}"
        if path.suffix == ".h" and path.name != RENAMES_BOOST and name.startswith(ONLY_IN_SOURCES):
            problems.append(f"{where}: {name} belongs into a .cc file")
        if quote != '"' or name.startswith("qarion/"):
            continue
        target = name.split("/")[0]
        if target == module:
            if module == "providers" and name.count("/") > 1 and name.split("/")[1] != parts[1]:
                if parts[1] != "compiled_in.cc":
                    problems.append(f"{where}: a provider may not include another one ({name})")
        elif target not in MAY_USE.get(module, set()):
            problems.append(f"{where}: {module} may not include {name}")


def check_public_header(path, problems):
    for number, quote, name in includes(path):
        third_party = quote == "<" and "/" in name and not name.startswith(
            ("qarion/secrets/", f"{path.stem}/"))  # spdlog.h is for those who have spdlog
        if quote == '"' or third_party:
            problems.append(f"{path.relative_to(ROOT)}:{number}: a public header includes {name}")


def main():
    problems = []
    for path in sorted((ROOT / "src").rglob("*.[hc]*")):
        if path.suffix in (".h", ".cc"):
            check_source(path, problems)
    for path in sorted((ROOT / "include").rglob("*.h")):
        check_public_header(path, problems)
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
