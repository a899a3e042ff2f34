"""Requests as they came, and refusals in the shapes that Google's servers give them."""
import base64
import json
import time
import urllib.parse

DOMAIN = "googleapis.com"
TYPE = "type.googleapis.com/google.rpc."
CODES = {"INVALID_ARGUMENT": 400, "FAILED_PRECONDITION": 400, "UNAUTHENTICATED": 401, "PERMISSION_DENIED": 403,
         "NOT_FOUND": 404, "RESOURCE_EXHAUSTED": 429, "INTERNAL": 500, "UNAVAILABLE": 503}


class Refusal(Exception):
    """A text is a page, anything else a document."""

    def __init__(self, status, body, headers=()):
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body
        self.headers = dict(headers)


def api_error(status, message, reason=None, domain=DOMAIN, details=(), **metadata):
    """As APIs refuse. With a reason, there is an ErrorInfo with that metadata."""
    error = {"code": CODES[status], "message": message, "status": status}
    information = [{"@type": TYPE + "ErrorInfo", "reason": reason, "domain": domain,
                    **({"metadata": metadata} if metadata else {})}] if reason else []
    if information or details:
        error["details"] = [*information, *details]
    challenge = {"WWW-Authenticate": 'Bearer realm="https://accounts.google.com/"'} if error["code"] == 401 else {}
    return Refusal(error["code"], {"error": error}, challenge)


def oauth_error(error, description, code=400):
    """As endpoints that hand out tokens refuse."""
    return Refusal(code, {"error": error, "error_description": description})


def page(status, text):
    return Refusal(status, f"<!DOCTYPE html>\n<html lang=en>\n<title>Error {status} ({text})!!1</title>\n")


class Request:
    def __init__(self, handler):
        self.method = handler.command
        self.path, _, self.query = handler.requestline.split()[1].partition("?")
        self.headers = handler.headers
        self.host = handler.headers.get("Host", "")
        self.body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0)).decode()
        self.at = time.monotonic()

    def pairs(self):
        """Of a form, as they came."""
        return urllib.parse.parse_qsl(self.body, keep_blank_values=True)

    def form(self):
        """What stands twice is refused by all endpoints."""
        if self.headers.get_content_type() != "application/x-www-form-urlencoded":
            raise oauth_error("invalid_request", "Bad Request")
        pairs = self.pairs()
        if len(dict(pairs)) != len(pairs):
            raise oauth_error("invalid_request", "Parameters must not be given twice.")
        return dict(pairs)

    def json(self):
        return json.loads(self.body)

    def document(self, *names):
        """Of a call to an API: an object with no other members than these."""
        try:
            asked = json.loads(self.body or "{}")
        except ValueError:
            raise api_error("INVALID_ARGUMENT", "Invalid JSON payload received. Unexpected token.") from None
        if not isinstance(asked, dict):
            raise api_error("INVALID_ARGUMENT", "Invalid JSON payload received. Root element must be a message.")
        if asked and self.headers.get_content_type() != "application/json":
            raise api_error("INVALID_ARGUMENT", "Invalid content type.")
        refuse_unknown(asked, names, "Cannot find field.")
        return asked

    def parameters(self, *names):
        """Of a call to an API: no other ones than these and those of all calls."""
        asked = dict(urllib.parse.parse_qsl(self.query, keep_blank_values=True))
        refuse_unknown(asked, (*names, "alt", "$alt", "prettyPrint", "$prettyPrint", "fields", "key", "quotaUser"),
                       "Cannot bind query parameter.")
        return asked

    def bearer(self):
        kind, _, token = self.headers.get("Authorization", "").partition(" ")
        return token.strip() if kind.lower() == "bearer" else None

    def basic(self):
        """Name and password, or None."""
        kind, _, text = self.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "basic":
            return None
        name, _, password = base64.b64decode(text).decode().partition(":")
        return name, password

    def line(self):
        return f"{self.method} {self.path}" + ("?" + self.query if self.query else "")


def refuse_unknown(asked, names, why):
    for name in asked:
        if name not in names:
            raise api_error("INVALID_ARGUMENT", f'Invalid JSON payload received. Unknown name "{name}": {why}')
