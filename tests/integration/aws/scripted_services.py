"""Everything that hands out credentials in AWS, as far as clients see it: STS, SSO and its OIDC, containers,
instance metadata, on one port. The keys that it answers with are made from what it was asked, so that
who was asked for shows in them. Any answer can be replaced.
"""
import base64
import hashlib
import json
import pathlib
import re
import sys
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "fakes"))
from answering_server import AnsweringServer  # noqa: E402

EXPIRATION = "2036-01-02T03:04:05Z"
EXPIRATION_MS = 2083547045000
INSTANCE_TOKEN = "fake-instance-token"
ROLES_PATH = "/latest/meta-data/iam/security-credentials/"


def keys_for(*asked):
    """Made from the texts: access key id, secret key and session token."""
    digest = hashlib.sha256("\0".join(map(str, asked)).encode())
    name = base64.b32encode(digest.digest()).decode()[:16]
    return "ASIA" + name, "fake-secret-" + digest.hexdigest()[:28], "fake-token-" + digest.hexdigest()[28:]


def document(kind, *asked, **more):
    """As containers and instances answer."""
    key, secret, token = keys_for(kind, *asked)
    return {"AccessKeyId": key, "SecretAccessKey": secret, "Token": token, "Expiration": EXPIRATION, **more}


class Request:
    def __init__(self, handler):
        self.method = handler.command
        self.path, _, self.query = handler.path.partition("?")
        self.headers = handler.headers
        self.address = handler.server.server_address[0]
        self.body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0)).decode()
        self.at = time.monotonic()

    def form(self):
        return dict(urllib.parse.parse_qsl(self.body, keep_blank_values=True))

    def signer(self):
        """Who signed and for what: key id, region, service, token."""
        match = re.search(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/", self.headers.get("Authorization", ""))
        return (*match.groups(), self.headers.get("X-Amz-Security-Token")) if match else ("nobody",)

    def essence(self):
        """What of an STS request says whose credentials are wanted; names that clients make up do not."""
        form = self.form()
        form.pop("Version", None)
        if re.fullmatch(r"(botocore-session|qarion-secrets)-\d+", form.get("RoleSessionName", "")):
            form["RoleSessionName"] = "made up"
        return [f"{name}={form[name]}" for name in sorted(form)] + ["signed by " + "/".join(map(str, self.signer()))]

    def line(self):
        said = " ".join(self.essence()) if self.method == "POST" and self.form().get("Action") else self.body
        told = [f"{name}: {self.headers[name]}" for name in (
            "Authorization", "x-aws-ec2-metadata-token", "x-amz-sso_bearer_token") if name in self.headers
            and not self.headers[name].startswith("AWS4")]
        return " ".join([self.method, self.path + ("?" + self.query if self.query else ""), said, *told]).strip()


class Services(AnsweringServer):
    """An answer: status and body, which is text or becomes JSON."""
    request_kind = Request

    def lines(self):
        with self.lock:
            return [request.line() for request in self.requests]

    @staticmethod
    def rendered(status, body):
        body = body if isinstance(body, str) else json.dumps(body)
        kind = "text/xml" if body.startswith("<") else "application/json"
        return status, body.encode(), {"Content-Type": kind}

    def usual_answer(self, request):
        method, path = request.method, request.path
        if method == "POST" and path == "/token":
            return self.oidc(request)
        if method == "POST" and request.form().get("Action"):
            return self.sts(request)
        if path == "/federation/credentials":
            return self.portal(request)
        if path == "/latest/api/token":
            return (200, INSTANCE_TOKEN) if method == "PUT" else (405, "")
        if path == ROLES_PATH:
            return 200, "fake-role"
        if path == ROLES_PATH + "fake-role":
            version = {INSTANCE_TOKEN: "v2", None: "v1"}.get(request.headers.get("x-aws-ec2-metadata-token"))
            if version is None:
                return 401, ""
            return 200, document("instance", version, Code="Success", Type="AWS-HMAC",
                                 LastUpdated="2026-01-01T00:00:00Z")
        if path.startswith(("/container", "/v2/credentials", "/v1/credentials")):
            return 200, document("container", path, request.query, request.headers.get("Authorization"),
                                 RoleArn="arn:aws:iam::222222222222:role/task")
        return 404, "{}"

    @staticmethod
    def sts(request):
        form = request.form()
        action = form["Action"]
        if action == "GetCallerIdentity":
            return 200, (f"<{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{action}Result>"
                         "<Arn>arn:aws:iam::111111111111:user/fake</Arn><UserId>AIDAFAKE</UserId>"
                         f"<Account>111111111111</Account></{action}Result></{action}Response>")
        key, secret, token = keys_for(*request.essence())
        account = (form.get("RoleArn", "").split(":") + [""] * 5)[4]
        name = form.get("RoleArn", "").rsplit("/", 1)[-1]
        session = "fake-session"
        return 200, (
            f'<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{action}Result><Credentials>'
            f"<AccessKeyId>{key}</AccessKeyId><SecretAccessKey>{secret}</SecretAccessKey>"
            f"<SessionToken>{token}</SessionToken><Expiration>{EXPIRATION}</Expiration></Credentials>"
            f"<AssumedRoleUser><AssumedRoleId>AROAFAKE:{session}</AssumedRoleId>"
            f"<Arn>arn:aws:sts::{account}:assumed-role/{name}/{session}</Arn></AssumedRoleUser>"
            f"</{action}Result><ResponseMetadata><RequestId>fake-request</RequestId></ResponseMetadata>"
            f"</{action}Response>")

    @staticmethod
    def portal(request):
        query = dict(urllib.parse.parse_qsl(request.query))
        key, secret, token = keys_for("sso", query.get("role_name"), query.get("account_id"),
                                      request.headers.get("x-amz-sso_bearer_token"))
        return 200, {"roleCredentials": {"accessKeyId": key, "secretAccessKey": secret, "sessionToken": token,
                                         "expiration": EXPIRATION_MS}}

    @staticmethod
    def oidc(request):
        asked = json.loads(request.body)
        names = ("grantType", "clientId", "clientSecret", "refreshToken")
        return 200, {"accessToken": keys_for("oidc", *(asked.get(name) for name in names))[2],
                     "tokenType": "Bearer", "expiresIn": 3600, "refreshToken": "fake-next-refresh-token"}


def sts_error(status, code, text="fake message"):
    return status, (f'<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>'
                    f"<Code>{code}</Code><Message>{text}</Message></Error>"
                    f"<RequestId>fake-request</RequestId></ErrorResponse>")
