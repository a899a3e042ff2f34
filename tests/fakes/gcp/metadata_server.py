"""The metadata server of a machine."""
import urllib.parse

from answers import Refusal, page

ROOT = "/computeMetadata/v1"
FLAVOUR = {"Metadata-Flavor": "Google", "Server": "Metadata Server for VM", "X-XSS-Protection": "0",
           "X-Frame-Options": "SAMEORIGIN"}


class MetadataServer:
    """`account`: the machine's service account, if it has one. `mode`: "usual", "no flavour" answers without the
    header that says who it is, "missing" has nothing, as where something else answers at this address.
    `universe_domain`: None as servers that are older than universes. `instance`: what identity tokens say of the
    machine; None as on machines that are none of Compute Engine."""

    def __init__(self, identity):
        self.identity = identity
        self.account = None
        self.project_id = "fake-project"
        self.project_number = 1234
        self.universe_domain = "googleapis.com"
        self.scopes = ["https://www.googleapis.com/auth/cloud-platform"]
        self.mode = "usual"
        self.instance = {"instance_creation_timestamp": 1767323045, "instance_id": "4323170000000000001",
                         "instance_name": "fake-machine", "project_id": self.project_id,
                         "project_number": self.project_number, "zone": "europe-west3-a"}

    def serves(self, request):
        return request.path == "/" or request.path.startswith("/computeMetadata")

    def answer(self, request):
        if self.mode == "missing":
            raise page(404, "Not Found")
        try:
            status, body, kind = self.usual_answer(request)
        except Refusal as refusal:
            status, body, kind = refusal.status, refusal.body, "text/html; charset=UTF-8"
        except LookupError:
            status, body, kind = 404, page(404, "Not Found").body, "text/html; charset=UTF-8"
        return status, body, {"Content-Type": kind, **({} if self.mode == "no flavour" else FLAVOUR)}

    def usual_answer(self, request):
        if request.method != "GET":
            return 405, page(405, "Method Not Allowed").body, "text/html; charset=UTF-8"
        if request.path == "/":
            return 200, "computeMetadata/\n", "application/text"
        if request.headers.get("Metadata-Flavor") != "Google" or "X-Forwarded-For" in request.headers:
            return 403, page(403, "Forbidden").body, "text/html; charset=UTF-8"
        query = dict(urllib.parse.parse_qsl(request.query))
        found = self.find(request.path.removeprefix(ROOT).strip("/"), query)
        if isinstance(found, str):
            return 200, found, "application/text"
        return 200, found, "application/json"

    def find(self, path, query):
        plain = {"project/project-id": self.project_id, "project/numeric-project-id": str(self.project_number),
                 "universe/universe-domain": self.universe_domain, "instance": "service-accounts/\n"}
        if plain.get(path):
            return plain[path]
        name, _, rest = path.removeprefix("instance/service-accounts/").partition("/")
        if self.account is None or name not in ("default", self.account.email):
            raise LookupError(path)
        if rest == "token":
            scopes = query["scopes"].split(",") if query.get("scopes") else self.scopes
            return self.identity.hand_out(self.account.principal, scopes)
        if rest == "identity":
            if not query.get("audience"):
                raise page(400, "Bad Request")
            is_full = query.get("format", "standard") == "full" and self.instance
            more = {"google": {"compute_engine": self.instance}} if is_full else {}
            return self.identity.identity_token(self.account, query["audience"], **more)
        if rest == "" and query.get("recursive", "").lower() == "true":
            return {"aliases": ["default"], "email": self.account.email, "scopes": self.scopes}
        plain = {"": "aliases\nemail\nidentity\nscopes\ntoken\n", "email": self.account.email,
                 "aliases": "default\n", "scopes": "".join(scope + "\n" for scope in self.scopes)}
        return plain[rest]
