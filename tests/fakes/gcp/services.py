"""Google Cloud as clients of Secret Manager see it, on one port: the API itself, the endpoints that hand out tokens,
and the metadata server. They check what Google checks; official_client_test.py and official_credentials_test.py hold
them against Google's own libraries. What they say of tokens and permissions is set up in `identity`, of secrets in
`secrets`, of the machine in `metadata`. Any answer can be replaced, and every request is kept.

As a program: until its input ends; prints its port, then the key file of a service account that may read the secret
`qarion` of the project `fake-project`, on one line. Beside Google's calls it has two of its own:
POST /fake/secrets/[LOCATION/]NAME adds a version with the body as payload, DELETE takes the secret away.
"""
import email.utils
import json
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from answering_server import AnsweringServer  # noqa: E402
from answers import Refusal, Request, page
from identity import Identity
from metadata_server import MetadataServer
from secret_manager import READ, SecretManager


class Services(AnsweringServer):
    """An answer: status and body, which is text, bytes or becomes JSON, and maybe headers."""
    request_kind = Request

    def __init__(self, addresses=(("127.0.0.1", 0),)):
        self.offset = 0
        self.identity = Identity(self.now)
        self.secrets = SecretManager(self.identity)
        self.metadata = MetadataServer(self.identity)
        self.parts = [self.metadata, self.identity, self.secrets]
        super().__init__(addresses)
        self.address = f"127.0.0.1:{self.port}"
        self.identity.url = self.url

    def now(self):
        return time.time() + self.offset

    def advance(self, seconds):
        """The clock of all services."""
        self.offset += seconds

    def seen(self, part=""):
        """Requests whose first line has that in it."""
        with self.lock:
            return [request for request in self.requests if part in request.line()]

    def lines(self):
        return [request.line() for request in self.seen()]

    def rendered(self, status, body, headers=None):
        kind = "text/html; charset=UTF-8"
        if not isinstance(body, (str, bytes)):
            body = json.dumps(body, indent=2) + "\n"
            kind = "application/json; charset=UTF-8"
        body = body.encode() if isinstance(body, str) else body
        date = email.utils.formatdate(self.now(), usegmt=True)
        return status, body, {"Content-Type": kind, "Date": date, **(headers or {})}

    def usual_answer(self, request):
        with self.lock:
            try:
                for service in self.parts:
                    if service.serves(request):
                        return service.answer(request)
                raise page(404, "Not Found")
            except Refusal as refusal:
                return refusal.status, refusal.body, refusal.headers


class Arranger:
    """Secrets without Google's calls, and without permissions."""
    PREFIX = "/fake/secrets/"

    def __init__(self, secrets):
        self.secrets = secrets

    def serves(self, request):
        return request.path.startswith(self.PREFIX)

    def answer(self, request):
        place, _, name = request.path.removeprefix(self.PREFIX).rpartition("/")
        full = "projects/1234" + (f"/locations/{place}" if place else "") + f"/secrets/{name}"
        if request.method == "DELETE":
            self.secrets.secrets.pop(full, None)
            return 200, {}
        secret = self.secrets.secrets.get(full) or self.secrets.add_secret("fake-project", name, location=place or None)
        self.secrets.add_version(secret, request.body.encode())
        return 200, {}


if __name__ == "__main__":
    services = Services()
    services.parts.append(Arranger(services.secrets))
    services.secrets.add_project("fake-project", 1234)
    services.secrets.add_secret("fake-project", "qarion", b'{"SECRET_KEY": "fake-signing-key-0123456789abcdef"}')
    account = services.identity.new_account("reader@fake-project.iam.gserviceaccount.com")
    services.identity.grant(account.principal, "projects/1234", *READ)
    print(services.port, json.dumps(account.key_file(services.url + "/token")), sep="\n", flush=True)
    sys.stdin.read()
    services.close()
