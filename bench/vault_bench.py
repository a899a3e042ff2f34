#!/usr/bin/env python3
"""vault_bench.py QSECRETS VAULT_BENCH: the backend `vault` beside other clients, against one local server."""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests/integration/vault"))
import bao  # noqa: E402
from process_timing import Command, measure, print_table  # noqa: E402

NAMES = ["SECRET_KEY", "SECRET_KEY_PREVIOUS", "POSTGRES_PASSWORD", "INSTANCE_ENCRYPTION_KEY",
         "CONTROL_PLANE_SECRET_KEY", "SENDGRID_API_KEY", "SCIM_BEARER_TOKEN", "SMTP_PASSWORD",
         "STORAGE_S3_SECRET_KEY", "LLM_API_KEY_A", "LLM_API_KEY_B"]


def resident_kib(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])


def processes(server, qsecrets, environment):
    url = f"{server.address}/v1/secret/data/qarion"
    curl = Command("curl, the same request", ["curl", "-s", "-o", "/dev/null", "-H", "X-Vault-Token: root", url],
                   environment)
    commands = [
        curl,
        Command("qsecrets get", [qsecrets, "get", "SECRET_KEY"], environment),
        Command("qsecrets exec -- true", [qsecrets, "exec", "--", "true"], environment),
        Command("bao kv get -field", [bao.executable(), "kv", "get", "-mount=secret", "-field=SECRET_KEY", "qarion"],
                {**environment, "HOME": server.home}),
    ]
    if shutil.which("jq"):
        commands.append(Command("curl and jq", [
            "bash", "-c", f"curl -s -H 'X-Vault-Token: root' {url} | jq -r .data.data.SECRET_KEY"], environment))
    print("\n== first fetch, whole process; targets: get <= 1.3x curl, exec -- true <= 10 ms ==")
    measure(commands, rounds=40)
    print_table(commands, curl)


def supervised_memory(server, qsecrets, environment):
    print("\n== memory of a supervisor with its child running ==")
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory)
        (path / "token").write_text("root")
        config = path / "agent.hcl"
        config.write_text(f'''
vault {{
  address = "{server.address}"
}}
auto_auth {{
  method "token_file" {{
    config = {{
      token_file_path = "{path}/token"
    }}
  }}
}}
env_template "SECRET_KEY" {{
  contents = "{{{{ with secret \\"secret/data/qarion\\" }}}}{{{{ .Data.data.SECRET_KEY }}}}{{{{ end }}}}"
}}
exec {{
  command = ["sleep", "60"]
}}
''')
        for name, argv in (("qsecrets exec", [qsecrets, "exec", "--", "sleep", "60"]),
                           ("bao agent", [bao.executable(), "agent", f"-config={config}"])):
            begin = time.monotonic()
            process = subprocess.Popen(argv, env={**environment, "HOME": directory}, cwd=directory,
                                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
            while time.monotonic() - begin < 20 and not any(
                    pathlib.Path(f"/proc/{pid}/comm").read_text() == "sleep\n"
                    for pid in all_children(process.pid)):
                time.sleep(0.001)
            ready = time.monotonic() - begin
            time.sleep(1)
            print(f"  {name:15} child started after {ready * 1000:7.0f} ms, {resident_kib(process.pid):7} KiB resident")
            process.terminate()
            process.wait()


def all_children(pid):
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            found += [int(child) for child in (task / "children").read_text().split()]
        except OSError:
            pass
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("qsecrets")
    parser.add_argument("vault_bench")
    arguments = parser.parse_args()
    server = bao.dev_server()
    try:
        server.put({name: "fake-" + "x" * 40 for name in NAMES})
        environment = {"PATH": os.environ["PATH"], "HOME": "/", "SECRETS_BACKEND": "vault",
                       "VAULT_ADDR": server.address, "VAULT_TOKEN": "root"}
        processes(server, os.path.abspath(arguments.qsecrets), environment)
        print("\n== requests on one connection ==")
        subprocess.run([arguments.vault_bench, "requests"], env=environment, check=True)
        print("\n== cached reads while a refresh hangs ==")
        subprocess.run([arguments.vault_bench, "cached", str(server.process.pid)], env=environment, check=True)
        supervised_memory(server, os.path.abspath(arguments.qsecrets), environment)
    finally:
        server.close()


if __name__ == "__main__":
    main()
