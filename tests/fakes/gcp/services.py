"""Google Cloud as clients of Secret Manager see it, on one port: the API itself, the endpoints that hand out tokens,
and the metadata server. They check what Google checks; official_client_test.py and official_credentials_test.py hold
them against Google's own libraries. What they say of tokens and permissions is set up in `identity`, of secrets in
`secrets`, of the machine in `metadata`. Any answer can be replaced, and every request is kept.

As a program: until its input ends; prints its port, then the key file of a service account that may read the secret
`qarion` of the project `fake-project`, on one line.
"""
import http.server
import json
import socket
import sys
import threading
import time

from answers import Refusal, Request, page
from identity import Identity
from metadata_server import MetadataServer
from secret_manager import READ, SecretManager


class Services:
    """`answers`: replaced ones, "GET /path" to (status, body) or (status, body, headers), to a list of those one after
    the other, or to a function of the Request; None in their place is the usual answer, the status None hangs up and
    "hang" never answers."""

    def __init__(self, addresses=(("127.0.0.1", 0),)):
        self.offset = 0
        self.identity = Identity(self.now)
        self.secrets = SecretManager(self.identity)
        self.metadata = MetadataServer(self.identity)
        self.answers = {}
        self.requests = []
        self.lock = threading.RLock()
        self.ends = threading.Event()
        self.servers = []
        for host, port in addresses:
            kind = type("Server", (http.server.ThreadingHTTPServer,), {
                "address_family": socket.AF_INET6 if ":" in host else socket.AF_INET,
                "daemon_threads": True, "request_queue_size": 64})
            self.servers.append(kind((host, port), self.handler()))
            threading.Thread(target=self.servers[-1].serve_forever, kwargs={"poll_interval": 0.05},
                             daemon=True).start()
        self.port = self.servers[0].server_port
        self.address = f"127.0.0.1:{self.port}"
        self.url = "http://" + self.address
        self.identity.url = self.url

    def now(self):
        return time.time() + self.offset

    def advance(self, seconds):
        """The clock of all services."""
        self.offset += seconds

    def reset(self, answers=None):
        """Forgets the requests and the replaced answers; everything else stays."""
        with self.lock:
            self.answers = {key: list(answer) if isinstance(answer, list) else answer
                            for key, answer in (answers or {}).items()}
            self.requests = []

    def seen(self, part=""):
        """Requests whose first line has that in it."""
        with self.lock:
            return [request for request in self.requests if part in request.line()]

    def lines(self):
        return [request.line() for request in self.seen()]

    def handler(self):
        services = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def answer(self):
                status, body, headers = services.answer(Request(self))
                if status == "hang":
                    services.ends.wait(60)
                if status in (None, "hang"):
                    self.close_connection = True
                    return
                if not isinstance(body, (str, bytes)):
                    body = json.dumps(body, indent=2) + "\n"
                    headers = {"Content-Type": "application/json; charset=UTF-8", **headers}
                body = body.encode() if isinstance(body, str) else body
                self.send_response_only(status)
                for name, value in {"Content-Type": "text/html; charset=UTF-8", **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_PUT = do_POST = do_DELETE = do_PATCH = answer

            def log_message(self, *_):
                pass

        return Handler

    def answer(self, request):
        with self.lock:
            self.requests.append(request)
            answer = self.answers.get(f"{request.method} {request.path}")
            if isinstance(answer, list):
                answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if callable(answer):
            answer = answer(request)
        if answer is None:
            try:
                with self.lock:
                    answer = self.usual_answer(request)
            except Refusal as refusal:
                answer = refusal.status, refusal.body, refusal.headers
        status, body, *headers = answer
        return status, body, headers[0] if headers else {}

    def usual_answer(self, request):
        for service in (self.metadata, self.identity, self.secrets):
            if service.serves(request):
                return service.answer(request)
        raise page(404, "Not Found")

    def close(self):
        self.ends.set()
        for server in self.servers:
            server.shutdown()
            server.server_close()


if __name__ == "__main__":
    services = Services()
    services.secrets.add_project("fake-project", 1234)
    services.secrets.add_secret("fake-project", "qarion", b'{"SECRET_KEY": "fake-signing-key-0123456789abcdef"}')
    account = services.identity.new_account("reader@fake-project.iam.gserviceaccount.com")
    services.identity.grant(account.principal, "projects/1234", *READ)
    print(services.port, json.dumps(account.key_file(services.url + "/token")), sep="\n", flush=True)
    sys.stdin.read()
    services.close()
