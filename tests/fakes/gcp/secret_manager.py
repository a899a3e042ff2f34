"""Secret Manager itself: versions of secrets, global and regional ones, and what it refuses."""
import base64
import binascii
import dataclasses
import datetime
import re
import secrets
import urllib.parse

from answers import TYPE, api_error, page
from identity import CLOUD

SERVICE = "secretmanager.googleapis.com"
API = "google.cloud.secretmanager.v1.SecretManagerService."
STATES = {"ENABLED": 1, "DISABLED": 2, "DESTROYED": 3}  # and their numbers in SecretVersion.State
MOST_BYTES = 65536
MOST_VERSIONS = 25000  # on a page
READ = ("secretmanager.versions.access", "secretmanager.versions.get")
MANAGE = ("secretmanager.versions.add", "secretmanager.versions.list", "secretmanager.versions.enable",
          "secretmanager.versions.disable", "secretmanager.versions.destroy")
USE_PROJECT = "serviceusage.services.use"

# The verb of a call: the method of the API, the permission, the members of its body or the query, the HTTP method.
CALLS = {
    "access": ("AccessSecretVersion", "secretmanager.versions.access", (), "GET"),
    "get": ("GetSecretVersion", "secretmanager.versions.get", (), "GET"),
    "list": ("ListSecretVersions", "secretmanager.versions.list", ("filter", "pageSize", "pageToken"), "GET"),
    "addVersion": ("AddSecretVersion", "secretmanager.versions.add", ("payload",), "POST"),
    "enable": ("EnableSecretVersion", "secretmanager.versions.enable", ("etag",), "POST"),
    "disable": ("DisableSecretVersion", "secretmanager.versions.disable", ("etag",), "POST"),
    "destroy": ("DestroySecretVersion", "secretmanager.versions.destroy", ("etag",), "POST"),
}
PATH = re.compile(r"/v1/projects/([^/:]+)(?:/locations/([^/:]+))?/secrets/([^/:]+)"
                  r"(?:(/versions)(?:/([^/:]+))?)?(?::(\w+))?")
CRC_TABLE = []
for octet in range(256):
    for _ in range(8):
        octet = octet >> 1 ^ (0x82F63B78 if octet & 1 else 0)
    CRC_TABLE.append(octet)


def crc32c(data):
    """Castagnoli's, of RFC 3720."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


@dataclasses.dataclass
class Project:
    id: str
    number: int
    api_enabled: bool = True
    billing_enabled: bool = True
    accesses_left: int | None = None  # of the quota of this minute; None: as many as there are


@dataclasses.dataclass
class Version:
    number: int
    data: bytes
    created: str
    state: str = "ENABLED"
    checked: bool = False  # it came with a checksum
    destroyed: str = ""
    etag: str = ""

    def touch(self):
        self.etag = '"' + secrets.token_hex(7) + '"'


@dataclasses.dataclass
class Secret:
    name: str  # projects/NUMBER[/locations/L]/secrets/S
    versions: list = dataclasses.field(default_factory=list)
    aliases: dict = dataclasses.field(default_factory=dict)


class SecretManager:
    """`payload`: what goes over the payload of answers, None for members to be left out: {"dataCrc32c": None} or
    {"data": "!!!"} and what `wrong_checksum` and `long_payload` return."""

    def __init__(self, identity):
        self.identity = identity
        self.projects = {}  # by id and by number
        self.secrets = {}  # by name
        self.payload = {}

    # What is so.

    def add_project(self, project_id, number):
        self.projects[project_id] = self.projects[str(number)] = Project(project_id, number)
        return self.projects[project_id]

    def add_secret(self, project_id, name, *payloads, location=None, aliases=None):
        place = f"/locations/{location}" if location else ""
        secret = Secret(f"projects/{self.projects[project_id].number}{place}/secrets/{name}", aliases=aliases or {})
        self.secrets[secret.name] = secret
        for payload in payloads:
            self.add_version(secret, payload)
        return secret

    def add_version(self, secret, data, checked=False):
        secret.versions.append(Version(len(secret.versions) + 1, data, self.timestamp(), checked=checked))
        secret.versions[-1].touch()
        return secret.versions[-1]

    def timestamp(self):
        return datetime.datetime.fromtimestamp(self.identity.now(), datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    # What is asked.

    def serves(self, request):
        return request.path.startswith("/v1/projects/")

    def answer(self, request):
        found = PATH.fullmatch(request.path)
        if not found:
            raise page(404, "Not Found")
        project, location, name, versions, version, verb = (
            part and urllib.parse.unquote(part) for part in found.groups())
        verb = verb or ("get" if version else "list" if versions else "")
        if verb not in CALLS or CALLS[verb][3] != request.method or (
                (verb == "list", verb == "addVersion") != (bool(versions) and not version, not versions)):
            raise page(404, "Not Found")
        self.check_host(request, location)
        method, permission, names, _ = CALLS[verb]
        caller = self.identity.caller(request, API + method, SERVICE, CLOUD)
        self.check_consumer(request, caller, project, verb)
        parameters = request.parameters(*(names if request.method == "GET" else ()))
        body = request.document(*(names if request.method == "POST" else ()))
        if request.method == "GET" and request.body:
            raise api_error("INVALID_ARGUMENT", "A GET request has no body.")

        asked = found[0].removeprefix("/v1/").partition(":")[0].removesuffix("/versions")
        number = self.projects[project].number if project in self.projects else project
        place = f"/locations/{location}" if location else ""
        secret_name = f"projects/{number}{place}/secrets/{name}"
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,255}", name):
            raise api_error("INVALID_ARGUMENT", f"Resource ID [{secret_name}] is not in a valid format.")
        if not self.identity.allows(caller, secret_name, permission):
            raise api_error("PERMISSION_DENIED", f"Permission '{permission}' denied for resource '{asked}' (or it may "
                            "not exist).", "IAM_PERMISSION_DENIED", "iam.googleapis.com", permission=permission,
                            resource=asked)
        secret = self.secrets.get(secret_name)
        if secret is None:
            raise api_error("NOT_FOUND", f"Secret [{secret_name}] not found or has no versions."
                            if version else f"Secret [{secret_name}] not found.")
        as_number = "enum-encoding=int" in parameters.get("$alt", parameters.get("alt", ""))
        if verb == "list":
            return 200, self.page_of(secret, parameters, as_number)
        if verb == "addVersion":
            return 200, self.shown(secret, self.add(secret, body), as_number)
        found = self.find(secret, version)
        if verb == "access":
            return 200, self.access(secret, found)
        if verb != "get":
            self.change(secret, found, verb, body)
        return 200, self.shown(secret, found, as_number)

    @staticmethod
    def check_host(request, location):
        """Names of a region belong to the region's host, where it is asked by its name."""
        regional = re.fullmatch(r"secretmanager\.([a-z0-9-]+)\.rep\.googleapis\.com(:\d+)?", request.host)
        if request.host.partition(":")[0].endswith("googleapis.com") and (
                regional[1] if regional else None) != location:
            raise api_error("INVALID_ARGUMENT", "The location of the resource is not served at this endpoint.")

    def check_consumer(self, request, caller, project, verb):
        named = request.headers.get("X-Goog-User-Project")
        consumer = self.projects.get(named or project)
        if named and (consumer is None or not self.identity.allows(caller, f"projects/{consumer.number}", USE_PROJECT)):
            raise api_error(
                "PERMISSION_DENIED", f"Caller does not have required permission to use project {named}. Grant the "
                f"caller the roles/serviceusage.serviceUsageConsumer role, or a custom role with the {USE_PROJECT} "
                "permission.", "USER_PROJECT_DENIED", service=SERVICE, consumer=f"projects/{named}")
        if consumer is None:
            return  # nobody has permissions there
        told = {"service": SERVICE, "consumer": f"projects/{consumer.number}"}
        if not consumer.api_enabled:
            url = f"https://console.developers.google.com/apis/api/{SERVICE}/overview?project={consumer.number}"
            raise api_error(
                "PERMISSION_DENIED", f"Secret Manager API has not been used in project {consumer.number} before or it "
                f"is disabled. Enable it by visiting {url} then retry.", "SERVICE_DISABLED", **told, activationUrl=url,
                serviceTitle="Secret Manager API", containerInfo=str(consumer.number), details=[
                    {"@type": TYPE + "Help", "links": [{"description": "Google developers console API activation",
                                                        "url": url}]}])
        if not consumer.billing_enabled:
            raise api_error(
                "PERMISSION_DENIED", "This API method requires billing to be enabled. Please enable billing on project "
                f"#{consumer.id} by visiting https://console.developers.google.com/billing/enable?project="
                f"{consumer.id} then retry.", "BILLING_DISABLED", **told)
        if verb == "access" and consumer.accesses_left is not None:
            if consumer.accesses_left <= 0:
                raise api_error(
                    "RESOURCE_EXHAUSTED", "Quota exceeded for quota metric 'Access requests' and limit 'Access "
                    f"requests per minute' of service '{SERVICE}' for consumer 'project_number:{consumer.number}'.",
                    "RATE_LIMIT_EXCEEDED", **told, quota_metric=f"{SERVICE}/access_requests", quota_location="global",
                    quota_limit="AccessRequestsPerMinutePerProject", quota_limit_value="90000")
            consumer.accesses_left -= 1

    def find(self, secret, asked):
        """`latest` is the newest, whatever its state."""
        number = str(secret.aliases.get(asked, asked))
        if asked == "latest" and secret.versions:
            return secret.versions[-1]
        for version in secret.versions:
            if str(version.number) == number:
                return version
        raise api_error("NOT_FOUND", f"Secret Version [{secret.name}/versions/{asked}] not found.")

    def access(self, secret, version):
        if version.state != "ENABLED":
            raise api_error("FAILED_PRECONDITION", f"Secret Version [{secret.name}/versions/{version.number}] is in "
                            f"{version.state} state.")
        payload = {"data": base64.b64encode(version.data).decode(), "dataCrc32c": str(crc32c(version.data)),
                   **self.payload}
        return {"name": f"{secret.name}/versions/{version.number}",
                "payload": {name: value for name, value in payload.items() if value is not None}}

    def add(self, secret, body):
        payload = body.get("payload")
        text = payload.get("data") if isinstance(payload, dict) else None
        if not isinstance(text, str) or set(payload) - {"data", "dataCrc32c"}:
            raise api_error("INVALID_ARGUMENT", "Secret payload must be set.")
        try:
            data = base64.b64decode(text.translate({45: "+", 95: "/"}), validate=True)
        except binascii.Error:
            raise api_error("INVALID_ARGUMENT", "Invalid value at 'payload.data' (TYPE_BYTES), Base64 decoding "
                            "failed.") from None
        if len(data) > MOST_BYTES:
            raise api_error("INVALID_ARGUMENT", f"The payload is larger than {MOST_BYTES} bytes.")
        checksum = payload.get("dataCrc32c")
        if checksum is not None and str(checksum) != str(crc32c(data)):
            raise api_error("INVALID_ARGUMENT", "The checksum of the payload does not match its data.")
        return self.add_version(secret, data, checked=checksum is not None)

    def change(self, secret, version, verb, body):
        name = f"{secret.name}/versions/{version.number}"
        if body.get("etag") not in (None, "", version.etag):
            raise api_error("FAILED_PRECONDITION", f"The etag of Secret Version [{name}] does not match.")
        if version.state == "DESTROYED":
            raise api_error("FAILED_PRECONDITION", f"Secret Version [{name}] is in DESTROYED state.")
        version.state = {"enable": "ENABLED", "disable": "DISABLED", "destroy": "DESTROYED"}[verb]
        if verb == "destroy":
            version.data = b""
            version.destroyed = self.timestamp()
        version.touch()  # also where nothing changes

    def page_of(self, secret, parameters, as_number):
        """Newest first."""
        wanted = re.fullmatch(r"(?:state[:=](\w+))?", parameters.get("filter", "").strip())
        size, begin = parameters.get("pageSize") or "0", parameters.get("pageToken") or "0"
        if not wanted or (wanted[1] or "ENABLED") not in STATES or not (size + begin).isdigit():
            raise api_error("INVALID_ARGUMENT", "Request contains an invalid argument.")
        found = [version for version in reversed(secret.versions) if wanted[1] in (None, version.state)]
        end = int(begin) + min(int(size) or MOST_VERSIONS, MOST_VERSIONS)
        answer = {"versions": [self.shown(secret, version, as_number) for version in found[int(begin):end]],
                  "totalSize": len(found)}
        return {**answer, **({"nextPageToken": str(end)} if end < len(found) else {})}

    @staticmethod
    def shown(secret, version, as_number):
        kind = "replicationStatus" if "/locations/" not in secret.name else None
        return {"name": f"{secret.name}/versions/{version.number}", "createTime": version.created,
                **({"destroyTime": version.destroyed} if version.destroyed else {}),
                "state": STATES[version.state] if as_number else version.state,
                **({kind: {"automatic": {}}} if kind else {}), "etag": version.etag,
                **({"clientSpecifiedPayloadChecksum": True} if version.checked else {})}


def wrong_checksum(data):
    return {"dataCrc32c": str(crc32c(data) ^ 1)}


def long_payload(size=MOST_BYTES + 1):
    data = b"fake " * (size // 5 + 1)
    return {"data": base64.b64encode(data[:size]).decode(), "dataCrc32c": str(crc32c(data[:size]))}
