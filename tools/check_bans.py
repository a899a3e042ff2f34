#!/usr/bin/env python3
"""Refuses constructs that have no place in the library. Each rule says why and what to use instead.

A line that must break a rule ends with `// allowed: <reason>`.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
# pattern, where it may stand nevertheless, what to do instead
RULES = [
    (r"\bmemcmp\s*\(", (), "compare secrets with Secret::ConstantTimeEquals, the rest with =="),
    (r"\b(memset|bzero|explicit_bzero)\s*\(", ("src/core/secret_memory.cc",),
     "wipe with core::Wipe: the compiler may remove any other way"),
    (r"\b(printf|puts|fputs|fprintf)\s*\(|std::(cout|cerr|clog)\b",
     ("src/core/error.cc", "src/core/secret_memory.cc", "src/cli/"),
     "the library does not print; return an Error or use the log of RuntimeOptions"),
    (r"\b(strcpy|strcat|sprintf|gets|strtok)\s*\(", (), "unbounded; use std::string"),
    (r"\bgetenv\s*\(", ("src/runtime/module_loader.cc", "src/scrub/kernels.cc"),
     "read settings through core::Settings, so that each has a source"),
    (r"\bsleep_for\b|\busleep\s*\(|\bsleep\s*\(", (), "wait on a Clock, so that tests can turn it"),
    (r"std::atomic<std::shared_ptr", (), "reported racy inside libstdc++ 12"),
    (r"\bassert\s*\(\s*false", (), "use std::unreachable or return an Error"),
]
# Read by unit tests beside them, not part of the library.
TEST_SUPPORT = {"scrub_cases.cc", "scrub_cases.h", "scrub_oracle.h"}


def main():
    problems = []
    for path in sorted((ROOT / "src").rglob("*")):
        if path.suffix not in (".h", ".cc") or path.stem.endswith("_test") or path.name in TEST_SUPPORT:
            continue
        name = str(path.relative_to(ROOT))
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if "// allowed: " in line or line.lstrip().startswith("//"):
                continue
            for pattern, places, instead in RULES:
                if re.search(pattern, line) and not name.startswith(places or ("\0",)):
                    problems.append(f"{name}:{number}: {line.strip()}\n    {instead}")
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
