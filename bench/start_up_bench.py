#!/usr/bin/env python3
"""`qsecrets get` as a whole process, beside an empty C++ program and python-dotenv.

start_up_bench.py QSECRETS EMPTY_PROGRAM [PYTHON]; target: at most 2x the empty program.
"""
import os
import pathlib
import secrets
import sys
import tempfile

import process_timing


def main():
    qsecrets, empty, *rest = map(os.path.abspath, sys.argv[1:])
    with tempfile.TemporaryDirectory() as directory:
        os.chdir(directory)
        env_file = pathlib.Path(".env")
        env_file.touch(mode=0o600)
        env_file.write_text("".join(
            f"{name}={secrets.token_urlsafe(32)}\n"
            for name in ["SECRET_KEY", "POSTGRES_PASSWORD", "SENDGRID_API_KEY", "SCIM_BEARER_TOKEN"]
            + [f"LLM_API_KEY_{i}" for i in range(7)]))
        baseline = process_timing.Command("empty C++ program", [empty])
        commands = [baseline,
                    process_timing.Command("qsecrets get", [qsecrets, "get", "POSTGRES_PASSWORD"]),
                    process_timing.Command("qsecrets list", [qsecrets, "list"])]
        if rest:
            commands.append(process_timing.Command("python -c 'import dotenv'", [
                rest[0], "-c", "import dotenv; dotenv.dotenv_values('.env')['POSTGRES_PASSWORD']"]))
        process_timing.measure(commands, rounds=60)
        print("one secret out of 11 from .env, whole process:")
        process_timing.print_table(commands, baseline)


if __name__ == "__main__":
    main()
