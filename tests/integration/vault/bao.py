"""Starts real servers of the Vault API: `bao` of tools/requirements.txt, or what QARION_TEST_BAO names.

As a program: starts a server in development mode whose root token is `root`, prints its port, and runs
until its input ends.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "shared"))
from ports import free_port  # noqa: E402

START_SECONDS = 60
LISTENER_PORTS = 2  # each takes its own and the next one


def executable():
    named = os.environ.get("QARION_TEST_BAO")
    return named or str(pathlib.Path(sys.executable).parent / "bao")


def call(url, method="GET", body=None, token=None, headers=None, timeout=10):
    """Returns the status and the JSON of the answer, or None without one."""
    request = urllib.request.Request(url, method=method, headers=dict(headers or {}),
                                     data=None if body is None else json.dumps(body).encode())
    if token:
        request.add_header("X-Vault-Token", token)
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
                request, timeout=timeout) as answer:
            status, text = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read()
    try:
        return status, json.loads(text)
    except ValueError:
        return status, None


class Server:
    """A server process with a directory of its own."""

    def __init__(self, arguments, port, scheme="http"):
        self.port = port
        self.address = f"{scheme}://127.0.0.1:{port}"
        self.home = tempfile.mkdtemp(prefix="qarion-bao-")
        self.arguments = [executable(), "server", *arguments]
        self.token = "root"
        self.process = None
        self.start()

    def start(self):
        with open(os.path.join(self.home, "log"), "ab") as log:
            self.process = subprocess.Popen(
                self.arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={"HOME": self.home, "PATH": os.environ["PATH"]}, cwd=self.home)

    def wait_until_ready(self, statuses=(200,)):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError("the server ended:\n" + self.log_text())
            try:
                if call(self.address + "/v1/sys/health", timeout=2)[0] in statuses:
                    return self
            except OSError:
                pass
            time.sleep(0.02)
        raise AssertionError("the server did not get ready:\n" + self.log_text())

    def log_text(self):
        return pathlib.Path(self.home, "log").read_text(errors="replace")

    def call(self, method, path, body=None, token=None, headers=None, timeout=10):
        return call(f"{self.address}/v1/{path}", method, body, token or self.token, headers, timeout)

    def must(self, method, path, body=None, **options):
        deadline = time.monotonic() + START_SECONDS
        while True:
            status, answer = self.call(method, path, body, **options)
            if status in (200, 204):
                return answer
            # A KV engine prepares itself for a moment when it was mounted.
            is_preparing = status == 400 and "from non-versioned to versioned data" in str(answer)
            if not is_preparing or time.monotonic() > deadline:
                raise AssertionError(f"{method} {path}: {status} {answer}")
            time.sleep(0.02)

    def put(self, fields, name="qarion", mount="secret"):
        return self.must("POST", f"{mount}/data/{name}", {"data": fields})["data"]["version"]

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        shutil.rmtree(self.home, ignore_errors=True)


def dev_server(*more, config=None):
    port = free_port(LISTENER_PORTS)
    arguments = ["-dev", "-dev-root-token-id=root", f"-dev-listen-address=127.0.0.1:{port}",
                 "-dev-no-store-token", *more]
    if config:
        arguments.append(f"-config={config}")
    server = Server(arguments, port)
    try:
        server.wait_until_ready().must("GET", "secret/config")
    except BaseException:
        server.close()
        raise
    return server


class Cluster:
    """Three nodes that agree by Raft, all of them voters."""

    def __init__(self, listener=""):
        self.nodes = []
        self.directory = tempfile.mkdtemp(prefix="qarion-raft-")
        for number in (1, 2, 3):
            port = free_port(LISTENER_PORTS)
            storage = pathlib.Path(self.directory, f"n{number}")
            storage.mkdir()
            config = pathlib.Path(self.directory, f"n{number}.hcl")
            config.write_text(f'''
cluster_name = "lab"
api_addr = "http://127.0.0.1:{port}"
cluster_addr = "https://127.0.0.1:{port + 1}"
disable_mlock = true
{listener}
storage "raft" {{
  path = "{storage}"
  node_id = "n{number}"
  performance_multiplier = 1
  autopilot_reconcile_interval = "200ms"
  autopilot_update_interval = "100ms"
}}
listener "tcp" {{
  address = "127.0.0.1:{port}"
  cluster_address = "127.0.0.1:{port + 1}"
  tls_disable = true
}}
''')
            self.nodes.append(Server([f"-config={config}"], port))
        self.unite()

    def unite(self):
        first = self.nodes[0].wait_until_ready((501,))
        keys = first.must("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})
        self.key = keys["keys_base64"][0]
        for node in self.nodes:
            node.token = keys["root_token"]
        first.must("PUT", "sys/unseal", {"key": self.key})
        first.wait_until_ready((200,))
        first.must("POST", "sys/storage/raft/autopilot/configuration",
                   {"server_stabilization_time": "1s"})
        for node in self.nodes[1:]:
            node.wait_until_ready((501, 503))
            node.must("POST", "sys/storage/raft/join", {"leader_api_addr": first.address})
            self.unseal(node)
            node.wait_until_ready((429,))
        self.wait(lambda: self.voters() == 3, "three voters")

    def unseal(self, node):
        self.wait(lambda: node.call("PUT", "sys/unseal", {"key": self.key})[0] == 200, "unsealing")

    def voters(self):
        status, answer = self.nodes[0].call("GET", "sys/storage/raft/configuration")
        return status == 200 and sum(
            server["voter"] for server in answer["data"]["config"]["servers"])

    @staticmethod
    def wait(condition, what, seconds=START_SECONDS):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                if condition():
                    return
            except OSError:
                pass
            time.sleep(0.05)
        raise AssertionError(what + " did not happen")

    def leader(self):
        for node in self.nodes:
            try:
                if call(node.address + "/v1/sys/health", timeout=0.5)[0] == 200:
                    return node
            except OSError:
                pass
        return None

    def close(self):
        for node in self.nodes:
            node.close()
        shutil.rmtree(self.directory, ignore_errors=True)


if __name__ == "__main__":
    server = dev_server()
    print(server.port, flush=True)
    sys.stdin.read()
    server.close()
