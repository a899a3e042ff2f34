"""Starts real servers of AWS's services, those of tools/requirements.txt: MiniStack and moto. As a program:
MiniStack, until its input ends; prints its port, then the key id and the secret key of a user who may read.
"""
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import boto3
from botocore.config import Config

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "shared"))
from ports import free_port  # noqa: E402

START_SECONDS = 60
REGION = "us-east-1"
ACCOUNT = "000000000000"  # of MiniStack
READ_POLICY = """{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": [
  "secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret", "sts:AssumeRole"], "Resource": "*"}]}"""


def ask(url, method="GET", body=None, timeout=10):
    """Returns the status and the body of the answer."""
    request = urllib.request.Request(url, method=method, data=None if body is None else body.encode(),
                                     headers={"Content-Type": "text/plain"})
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=timeout) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


class Server:
    """A server process with a directory of its own."""

    def __init__(self, program, arguments, environment, port, scheme="http"):
        self.port = port
        self.url = f"{scheme}://127.0.0.1:{port}"
        self.home = tempfile.mkdtemp(prefix="qarion-aws-")
        with open(os.path.join(self.home, "log"), "wb") as log:
            self.process = subprocess.Popen(
                [str(pathlib.Path(sys.executable).parent / program), *arguments], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, cwd=self.home, env={
                    "HOME": self.home, "TMPDIR": self.home, "PATH": os.environ["PATH"], **environment})
        deadline = time.monotonic() + START_SECONDS
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.close()
                raise AssertionError(f"{program} does not start:\n" + self.log_text())
            time.sleep(0.02)

    def is_ready(self):
        with socket.socket() as tried:
            return tried.connect_ex(("127.0.0.1", self.port)) == 0

    def log_text(self):
        path = pathlib.Path(self.home, "log")
        return path.read_text(errors="replace") if path.exists() else ""

    def client(self, service, key, secret, token=None, region=REGION, **more):
        return boto3.Session().client(
            service, region_name=region, endpoint_url=self.url, aws_access_key_id=key, aws_secret_access_key=secret,
            aws_session_token=token, config=Config(
                proxies={}, retries={"max_attempts": 1}, parameter_validation=False), **more)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        shutil.rmtree(self.home, ignore_errors=True)


class Seeded:
    """Sets up what the tests need as an administrator whom the server does not check; no test asks as one."""
    ROOT = ("", "")

    def root(self, service, region=REGION):
        return self.client(service, *self.ROOT, region=region)

    def make_user(self, name, policy=READ_POLICY):
        """Returns the user's settings: keys that the server checks."""
        iam = self.root("iam")
        iam.create_user(UserName=name)
        if policy:
            iam.put_user_policy(UserName=name, PolicyName="fake", PolicyDocument=policy)
        made = iam.create_access_key(UserName=name)["AccessKey"]
        return {"AWS_ACCESS_KEY_ID": made["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"]}

    def make_role(self, name, trust, policy=READ_POLICY):
        iam = self.root("iam")
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
        if policy:
            iam.put_role_policy(RoleName=name, PolicyName="fake", PolicyDocument=policy)
        return made["Role"]["Arn"]

    def make_secret(self, name, region=REGION, **value):
        return self.root("secretsmanager", region).create_secret(Name=name, **value)


class MiniStack(Seeded, Server):
    """Checks signatures, clocks, expiry and policies, except for its root key."""
    ROOT = ("fakerootkey", "fake-root-secret")

    def __init__(self, certificate=None, **environment):
        port = free_port()
        environment = {
            "BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "AUTH": "true",
            "SERVICES": "secretsmanager,sts,iam,kms,imds", "AWS_ACCESS_KEY_ID": self.ROOT[0],
            "AWS_SECRET_ACCESS_KEY": self.ROOT[1], "MINISTACK_IMDS_V2_REQUIRED": "1", "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0", "PERSIST_STATE": "0", "STATE_DIR": "state", **environment}
        if certificate:
            environment |= {"USE_SSL": "1", "MINISTACK_SSL_CERT": certificate[0], "MINISTACK_SSL_KEY": certificate[1]}
        self.authority = certificate[2] if certificate else None
        super().__init__("ministack", [], environment, port, "https" if certificate else "http")

    def client(self, *arguments, **more):
        return super().client(*arguments, **more, **({"verify": self.authority} if self.authority else {}))


class Moto(Seeded, Server):
    """Knows stages of versions and idempotent writes as AWS does. Checks signatures and policies once
    `check_keys` was called, of all that comes later."""
    ROOT = ("fakerootkey", "fake-root-secret")

    def __init__(self):
        port = free_port()
        super().__init__("moto_server", ["-H", "127.0.0.1", "-p", str(port)], {}, port)
        self.check_keys(False)

    def check_keys(self, checks=True, after=0):
        """`after`: so many calls more are not checked."""
        status, text = ask(self.url + "/moto-api/reset-auth", "POST", str(after) if checks else "inf")
        if status != 200:
            raise AssertionError(f"moto: {status} {text}")


if __name__ == "__main__":
    server = MiniStack()
    print(server.port, *server.make_user("reader").values(), sep="\n", flush=True)
    sys.stdin.read()
    server.close()
