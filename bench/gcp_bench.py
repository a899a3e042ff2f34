#!/usr/bin/env python3
"""The backend `gcp_sm` beside other clients, against the fake of Google's services, which checks signatures and tokens.
What clients send to Google's own hosts comes to the fake by a proxy.

gcp_bench.py QSECRETS GCP_BENCH MODULE [--rounds N]
"""
import argparse
import json
import multiprocessing
import os
import pathlib
import shlex
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse

import google.auth.jwt

HERE = pathlib.Path(__file__).resolve().parent
for place in ("fakes/gcp", "integration/shared"):
    sys.path.insert(0, str(HERE.parent / "tests" / place))
from aws_identity import Key  # noqa: E402
from credential_files import AWS_TYPE, aws_source  # noqa: E402
from credential_files import authorized_user, external_account, impersonated_service_account  # noqa: E402
from footprint import exec_peak_memory, report_peak_memory, report_size  # noqa: E402
from google_proxy import NAMES, GoogleProxy  # noqa: E402
from identity import CLOUD, GRANT, SUBJECT_TYPES, TYPE  # noqa: E402
from issuers import Authority  # noqa: E402
from process_timing import (Command, Finding, Timed, measure, measure_findings, print_findings,  # noqa: E402
                            print_findings_head, print_table, ratio)
from secret_manager import READ  # noqa: E402
from services import Services  # noqa: E402

PROJECT = "fake-project"
NUMBER = 1234
SECRET = "qarion"
VERSION = f"projects/{PROJECT}/secrets/{SECRET}/versions/latest"
FIELDS = ["SECRET_KEY", "SECRET_KEY_PREVIOUS", "POSTGRES_PASSWORD", "INSTANCE_ENCRYPTION_KEY",
          "CONTROL_PLANE_SECRET_KEY", "SENDGRID_API_KEY", "SCIM_BEARER_TOKEN", "SMTP_PASSWORD",
          "STORAGE_S3_SECRET_KEY", "LLM_API_KEY_A", "LLM_API_KEY_B"]
AUDIENCE = f"//iam.googleapis.com/projects/{NUMBER}/locations/global/workloadIdentityPools/pool/providers/provider"
SUBJECT_TOKEN = "fake-subject-token-of-nobody"
ARN = "arn:aws:sts::222222222222:assumed-role/fake-role/fake-session"
AWS_SECRET = "fake-aws-secret-access-key-of-nobody"
GOOGLES = [sys.executable, str(HERE / "gcp_python.py")]


def metadata_at(address):
    """Google's library looks for a machine's metadata server at one of these, and asks it at the other."""
    return {"GCE_METADATA_HOST": address, "GCE_METADATA_IP": address}


class Place:
    """The fake with a secret and everybody who may read it. `ways`: {name: settings to log in with}, those that lead
    over TLS among them. `answers`: of the fake, which it forgets when it is reset."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.services = Services()
        self.identity = self.services.identity
        self.services.secrets.add_project(PROJECT, NUMBER)
        self.services.secrets.add_secret(PROJECT, SECRET, json.dumps(
            {name: "fake-" + "x" * 40 for name in FIELDS}).encode())
        self.answers = {"GET /subject": (200, SUBJECT_TOKEN)}
        self.services.reset(self.answers)
        self.reader = self.identity.new_account(f"reader@{PROJECT}.iam.gserviceaccount.com")
        self.services.metadata.account = self.reader
        login = self.identity.new_login("user:someone@example.com")
        provider = self.identity.new_provider(AUDIENCE, tokens={SUBJECT_TOKEN: "fake-subject"}, aws_keys={
            "AKIAFAKE": Key(AWS_SECRET, ARN)})
        for principal in (self.reader.principal, login.principal, provider.principal("fake-subject"),
                          provider.principal(ARN)):
            self.identity.grant(principal, f"projects/{NUMBER}", *READ)
        self.key_file = self.reader.key_file(self.services.url + "/token")
        source = self.identity.new_account(f"source@{PROJECT}.iam.gserviceaccount.com")
        self.identity.grant(source.principal, self.reader.resource, "iam.serviceAccounts.getAccessToken")
        printed = {"version": 1, "success": True, "token_type": SUBJECT_TYPES[0], "id_token": SUBJECT_TOKEN}
        program = f"/bin/cat {self.write('printed.json', json.dumps(printed))}"
        self.ways = {
            "service account": self.log_in(self.key_file),
            "user's login, TLS": self.log_in(authorized_user(login)),
            "token of a file": self.use_source({"file": self.write("subject", SUBJECT_TOKEN)}),
            "token of a URL": self.use_source({"url": self.services.url + "/subject"}),
            "token of a program, cat": self.use_source(
                {"executable": {"command": program}}, GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES="1"),
            "keys of AWS": self.use_source(
                aws_source(), AWS_TYPE, AWS_ACCESS_KEY_ID="AKIAFAKE", AWS_SECRET_ACCESS_KEY=AWS_SECRET,
                AWS_REGION="us-east-2"),
            "impersonation, TLS": self.log_in(impersonated_service_account(
                self.reader, source.key_file(self.services.url + "/token"))),
            "metadata server": metadata_at(self.services.address),
        }

    def write(self, name, text):
        path = self.directory / name
        path.touch(mode=0o600)
        path.write_text(text)
        return str(path)

    def log_in(self, document, **settings):
        number = sum(1 for _ in self.directory.glob("credentials-*"))
        path = self.write(f"credentials-{number}.json", json.dumps(document, indent=2))
        return {"GOOGLE_APPLICATION_CREDENTIALS": path, "NO_GCE_CHECK": "true", **settings}

    def use_source(self, source, kind=SUBJECT_TYPES[0], **settings):
        return self.log_in(external_account(self.services, AUDIENCE, source, subject_token_type=kind), **settings)

    def signed_token(self):
        credentials = google.auth.jwt.Credentials.from_service_account_info(
            self.key_file, audience="https://secretmanager.googleapis.com/")
        credentials.refresh(None)
        return credentials.token.decode()


def serve(connection, directory):
    """In a process of its own, until it is sent something: says where, how to log in, and a token."""
    place = Place(directory)
    principal = place.identity.providers[AUDIENCE].principal("fake-subject")
    connection.send((place.services.url, place.ways, place.signed_token(), place.identity.issue(principal)))
    connection.recv()


class Exchange(Timed):
    """The request alone, over a connection of its own, by no client: the server's own time."""

    def __init__(self, url, token):
        super().__init__("server's own time")
        self.place = urllib.parse.urlsplit(url)
        self.sent = (f"GET /v1/{VERSION}:access HTTP/1.1\r\nHost: {self.place.netloc}\r\n"
                     f"Authorization: Bearer {token}\r\nConnection: close\r\n\r\n").encode()

    def run(self):
        received = b""
        begin = time.perf_counter()
        with socket.create_connection((self.place.hostname, self.place.port)) as connection:
            connection.sendall(self.sent)
            while not received.endswith(b"}\n") and (piece := connection.recv(65536)):
                received += piece
        elapsed = time.perf_counter() - begin
        if not received.startswith(b"HTTP/1.1 200") or b"dataCrc32c" not in received:
            raise RuntimeError(f"the server answers {received[:200]}")
        return elapsed * 1000, 0


def access(url, token):
    """What curl is told to read the secret."""
    return ["-o", "/dev/null", "-H", f"Authorization: Bearer {token}", f"{url}/v1/{VERSION}:access"]


def exchange(url):
    """What curl is told to get a token for that of another provider."""
    form = {"grant_type": GRANT + "token-exchange", "audience": AUDIENCE, "scope": CLOUD,
            "requested_token_type": TYPE + "access_token", "subject_token": SUBJECT_TOKEN,
            "subject_token_type": SUBJECT_TYPES[0]}
    return ["-o", "/dev/null", "-d", urllib.parse.urlencode(form), url + "/v1/token"]


def first_fetch(url, qsecrets, environment, token, rounds):
    server = Exchange(url, token)
    curl = Command("curl with a ready token", ["curl", "-sf", *access(url, token)], environment)
    get = Command("qsecrets get", [qsecrets, "get", "SECRET_KEY"], environment)
    run = Command("qsecrets exec -- true", [qsecrets, "exec", "--", "true"], environment)
    key = pathlib.Path(environment["HOME"], "key.pem")
    key.touch(mode=0o600)
    key.write_text(json.loads(pathlib.Path(environment["GOOGLE_APPLICATION_CREDENTIALS"]).read_text())["private_key"])
    signing = Command("openssl signs, then curl", [
        "sh", "-c", f"printf %s fake | openssl dgst -sha256 -sign {key}; {shlex.join(curl.argv)}"], environment)
    print("\n== first fetch with a service account's key, whole process; target: get <= 1.3x curl with a ready token ==")
    measure([server, curl, signing, get, run], rounds)
    print_table([server, curl, signing, get, run], curl)
    added = statistics.median(mine - alone for mine, alone in zip(run.wall_ms, server.wall_ms))
    print(f"  exec -- true without the server's own time: {added:.2f} ms (target <= 15)")


def first_fetch_with_exchange(url, qsecrets, environment, token, rounds):
    calls = [["curl", "-sf", *exchange(url)], ["curl", "-sf", *access(url, token)]]
    once = Command("curl, both requests", [*calls[0], "--next", *calls[1][1:]], environment)
    twice = Command("sh and curl twice", ["sh", "-c", "; ".join(map(shlex.join, calls))], environment)
    get = Command("qsecrets get", [qsecrets, "get", "SECRET_KEY"], environment)
    print("\n== the same with a token of another provider, plus the call that exchanges it ==")
    measure([once, twice, get], rounds)
    print_table([once, twice, get], once)


def first_fetch_in_python(url, qsecrets, environment, rounds):
    get = Command("qsecrets get", [qsecrets, "get", "SECRET_KEY"], environment)
    script = Command("script with Google's client", [*GOOGLES, "value", url, VERSION, "SECRET_KEY"], environment)
    measure([get, script], rounds, warm_up=1)
    print_table([get, script], get)


def cold_credentials(gcp_bench, directory, common, rounds):
    print("\n== tokens got by a new process, and requests made for them: within the process, and as a whole ==")
    print_findings_head("google-auth")
    place = Place(directory)
    authority = Authority(directory, "google")
    certificate = authority.issue("hosts", ",".join("DNS:" + name for name in NAMES))
    proxy = GoogleProxy(place.services.address, *certificate)
    common = {**common, "HTTPS_PROXY": proxy.url, "REQUESTS_CA_BUNDLE": authority.path("google.pem")}
    try:
        for name, settings in place.ways.items():
            environment = {**common, **settings}
            findings = [Finding("ours", [gcp_bench], environment),
                        Finding("google-auth", [*GOOGLES, "credentials"], environment)]
            requests = measure_findings(findings, place.services, lambda: place.services.reset(place.answers), rounds)
            print_findings(name, findings, requests)
    finally:
        proxy.close()
        place.services.close()


def absent_metadata_server(gcp_bench, common, rounds):
    """What it costs that nobody answers where the metadata server would be."""
    print("\n== no credentials, and a metadata server that does not answer, asked once ==")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        environment = {**common, **metadata_at(f"127.0.0.1:{silent.getsockname()[1]}"),
                       "GCE_METADATA_DETECT_RETRIES": "1"}
        taken = {"ours": [], "google-auth": []}
        for _ in range(rounds):
            for name, argv in (("ours", [gcp_bench]), ("google-auth", [*GOOGLES, "credentials"])):
                begin = time.perf_counter()
                ended = subprocess.run(argv, env=environment, check=False, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                taken[name].append(time.perf_counter() - begin)
                if ended.returncode == 0:
                    raise RuntimeError(f"{name}: got a token from nobody")
    for name, seconds in taken.items():
        print(f"  {name:12} {statistics.median(seconds):6.2f} s until it says so"
              f"  {ratio(seconds, taken['google-auth']):5.2f}x")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("qsecrets", type=os.path.abspath)
    parser.add_argument("gcp_bench", type=os.path.abspath)
    parser.add_argument("module", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=40)
    arguments = parser.parse_args()
    few = max(arguments.rounds // 4, 3)  # of Python's processes, which take long
    with tempfile.TemporaryDirectory() as directory:
        common = {"PATH": os.environ["PATH"], "HOME": directory, "GOOGLE_CLOUD_PROJECT": PROJECT,
                  **metadata_at("127.0.0.1:9")}  # never this machine's own
        connection, theirs = multiprocessing.Pipe()
        server = multiprocessing.Process(target=serve, args=(theirs, directory), daemon=True)
        server.start()
        url, ways, signed_token, issued_token = connection.recv()
        backend = {**common, "SECRETS_BACKEND": "gcp_sm", "GCP_SECRET_NAME": SECRET, "GCP_SECRET_ENDPOINT": url}
        environment = {**backend, **ways["service account"]}
        first_fetch(url, arguments.qsecrets, environment, signed_token, arguments.rounds)
        first_fetch_in_python(url, arguments.qsecrets, environment, few)
        first_fetch_with_exchange(url, arguments.qsecrets, {**backend, **ways["token of a file"]}, issued_token,
                                  arguments.rounds)
        report_peak_memory({
            "qsecrets exec": (exec_peak_memory(arguments.qsecrets), environment),
            "script with Google's client": ([*GOOGLES, "memory", url, VERSION], environment)})
        report_size(arguments.module)
        connection.send("end")
        server.join()
    with tempfile.TemporaryDirectory() as directory:
        common["HOME"] = directory
        cold_credentials(arguments.gcp_bench, directory, common, few)
        absent_metadata_server(arguments.gcp_bench, common, 3)


if __name__ == "__main__":
    main()
