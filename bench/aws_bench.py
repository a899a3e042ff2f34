#!/usr/bin/env python3
"""The backend `aws_sm` beside other clients, against servers on this machine: MiniStack, which checks signatures,
and scripted fakes of whoever hands out credentials.

aws_bench.py QSECRETS AWS_BENCH MODULE [--aws DIRECTORY] [--rounds N]: DIRECTORY has Python's package awscli.
"""
import argparse
import json
import os
import pathlib
import socket
import statistics
import sys
import tempfile
import time
import urllib.parse

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests/integration/aws"))
import configurations  # noqa: E402
import servers  # noqa: E402
from footprint import exec_peak_memory, report_peak_memory, report_size  # noqa: E402
from process_timing import (Command, Finding, Timed, measure, measure_findings, print_findings,  # noqa: E402
                            print_findings_head, print_table)
from scripted_services import Services  # noqa: E402

SECRET = "qarion"
FIELDS = ["SECRET_KEY", "SECRET_KEY_PREVIOUS", "POSTGRES_PASSWORD", "INSTANCE_ENCRYPTION_KEY",
          "CONTROL_PLANE_SECRET_KEY", "SENDGRID_API_KEY", "SCIM_BEARER_TOKEN", "SMTP_PASSWORD",
          "STORAGE_S3_SECRET_KEY", "LLM_API_KEY_A", "LLM_API_KEY_B"]
HEADERS = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "secretsmanager.GetSecretValue"}
BODY = f'{{"SecretId":"{SECRET}"}}'
BOTO3 = [sys.executable, str(HERE / "aws_boto3.py")]

# Of tests/integration/aws/configurations.py, one for each provider.
PROVIDERS = {
    "environment": "keys of the environment",
    "credentials file": "keys of the credentials file",
    "config file": "keys of the config file",
    "assume role": "a role by a source profile",
    "role of a role of a role": "a chain of roles",
    "web identity": "web identity of the environment",
    "SSO": "SSO with a session",
    "SSO, token refreshed": "SSO with a token to be refreshed",
    "process (cat)": "a process",
    "container": "a container with a token",
    "instance": "an instance elsewhere",
}


class Exchange(Timed):
    """The request alone, over a connection of its own, by no client: the server's own time."""

    def __init__(self, url, environment):
        super().__init__("server's own time")
        self.url = url
        self.place = urllib.parse.urlsplit(url)
        self.signer = SigV4Auth(Credentials(environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"]),
                                "secretsmanager", servers.REGION)

    def run(self):
        request = AWSRequest("POST", self.url + "/", data=BODY.encode(), headers=HEADERS)
        self.signer.add_auth(request)
        lines = [f"{name}: {value}" for name, value in request.headers.items()]
        sent = "\r\n".join(["POST / HTTP/1.1", f"Host: {self.place.netloc}", f"Content-Length: {len(BODY)}", *lines,
                            "Connection: close", "", BODY]).encode()
        received = b""
        begin = time.perf_counter()
        with socket.create_connection((self.place.hostname, self.place.port)) as connection:
            connection.sendall(sent)
            while not received.endswith(b"}") and (piece := connection.recv(65536)):
                received += piece
        elapsed = time.perf_counter() - begin
        if not received.startswith(b"HTTP/1.1 200") or b"SecretString" not in received:
            raise RuntimeError(f"the server answers {received[:200]}")
        return elapsed * 1000, 0


def first_fetch(url, qsecrets, environment, rounds):
    server = Exchange(url, environment)
    curl = Command("curl --aws-sigv4, the same request", [
        "curl", "-sf", "-o", "/dev/null", "--aws-sigv4", f"aws:amz:{servers.REGION}:secretsmanager", "--user",
        environment["AWS_ACCESS_KEY_ID"] + ":" + environment["AWS_SECRET_ACCESS_KEY"],
        *[word for name, value in HEADERS.items() for word in ("-H", f"{name}: {value}")], "-d", BODY, url + "/"],
        environment)
    get = Command("qsecrets get", [qsecrets, "get", "SECRET_KEY"], environment)
    run = Command("qsecrets exec -- true", [qsecrets, "exec", "--", "true"], environment)
    print("\n== first fetch, whole process; target: get <= 1.3x curl ==")
    measure([server, curl, get, run], rounds)
    print_table([server, curl, get, run], curl)
    added = statistics.median(mine - alone for mine, alone in zip(run.wall_ms, server.wall_ms))
    print(f"  exec -- true without the server's own time: {added:.2f} ms (target <= 15)")


def first_fetch_in_python(qsecrets, environment, aws, rounds):
    get = Command("qsecrets get", [qsecrets, "get", "SECRET_KEY"], environment)
    commands = [get, Command("boto3 script", [*BOTO3, "value", SECRET, "SECRET_KEY"], environment)]
    if aws and os.path.isdir(aws):
        commands.append(Command("aws secretsmanager get-secret-value", [
            sys.executable, "-m", "awscli", "secretsmanager", "get-secret-value", "--secret-id", SECRET],
            {**environment, "PYTHONPATH": aws}))
    else:
        print("  awscli is not installed: tools/setup.sh bench")
    measure(commands, rounds, warm_up=1)
    print_table(commands, get)


def cold_credentials(aws_bench, rounds):
    print("\n== credentials found by a new process, and requests made for them: within the process, and as a whole ==")
    print_findings_head("boto3")
    known = {configuration.name: configuration for configuration in configurations.ALL}
    services = Services()
    try:
        for provider, name in PROVIDERS.items():
            with tempfile.TemporaryDirectory() as directory:
                report_provider(provider, known[name], services, directory, aws_bench, rounds)
    finally:
        services.close()


def report_provider(provider, configuration, services, directory, aws_bench, rounds):
    home = os.path.join(directory, "home")
    environment = configuration.sandbox(home, services)

    def prepare():
        configuration.sandbox(home, services)  # anew: a refreshed token is kept
        services.reset(configuration.answers)

    findings = [Finding("ours", [aws_bench], environment), Finding("boto3", [*BOTO3, "credentials"], environment)]
    print_findings(provider, findings, measure_findings(findings, services, prepare, rounds))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("qsecrets", type=os.path.abspath)
    parser.add_argument("aws_bench", type=os.path.abspath)
    parser.add_argument("module", type=pathlib.Path)
    parser.add_argument("--aws", type=os.path.abspath)
    parser.add_argument("--rounds", type=int, default=40)
    arguments = parser.parse_args()
    few = max(arguments.rounds // 4, 3)  # of Python's processes, which take long
    server = servers.MiniStack()
    try:
        server.make_secret(SECRET, SecretString=json.dumps({name: "fake-" + "x" * 40 for name in FIELDS}))
        environment = {"PATH": os.environ["PATH"], "HOME": server.home, "SECRETS_BACKEND": "aws_sm",
                       "AWS_SECRET_ARN": SECRET, "AWS_DEFAULT_REGION": servers.REGION,
                       "AWS_ENDPOINT_URL_SECRETS_MANAGER": server.url, **server.make_user("bench")}
        first_fetch(server.url, arguments.qsecrets, environment, arguments.rounds)
        first_fetch_in_python(arguments.qsecrets, environment, arguments.aws, few)
        report_peak_memory({"qsecrets exec": (exec_peak_memory(arguments.qsecrets), environment),
                            "boto3 script": ([*BOTO3, "memory", SECRET], environment)})
    finally:
        server.close()
    report_size(arguments.module)
    cold_credentials(arguments.aws_bench, few)


if __name__ == "__main__":
    main()
