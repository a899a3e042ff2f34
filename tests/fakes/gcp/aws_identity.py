"""What Google's exchange of tokens verifies of a client in AWS: a signed request for GetCallerIdentity, in JSON."""
import calendar
import dataclasses
import hashlib
import hmac
import json
import re
import time
import urllib.parse

LATEST_SECONDS = 900  # after it was signed


@dataclasses.dataclass
class Key:
    secret: str
    arn: str
    session_token: str | None = None


def unescaped(text):
    return urllib.parse.unquote(text, errors="strict")


def hashed(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def signature(secret, scope, request_time, canonical):
    """Signature Version 4, as AWS documents it."""
    key = ("AWS4" + secret).encode()
    for part in scope.split("/"):
        key = hashed(key, part)
    text = "\n".join(["AWS4-HMAC-SHA256", request_time, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    return hashed(key, text).hex()


def verify(text, audience, keys, now):
    """The ARN of who signed, or ValueError. `keys`: {id: Key}."""
    token = json.loads(unescaped(text))
    headers = {entry["key"].lower(): entry["value"] for entry in token["headers"]}
    url = urllib.parse.urlsplit(token["url"])
    said = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=([^/]+)/((\d{8})/([^/]+)/sts/aws4_request), ?"
                        r"SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})", headers.get("authorization", ""))
    if not said:
        raise ValueError("it is not signed")
    key_id, scope, date, region, signed, told = said.groups()
    if url.scheme != "https" or headers.get("host") != url.netloc or url.netloc not in (
            "sts.amazonaws.com", f"sts.{region}.amazonaws.com"):
        raise ValueError("it does not ask STS of the region that it was signed for")
    if token["method"] != "POST" or sorted(urllib.parse.parse_qsl(url.query)) != [
            ("Action", "GetCallerIdentity"), ("Version", "2011-06-15")]:
        raise ValueError("it does not ask for the caller's identity")
    if headers.get("x-goog-cloud-target-resource") != audience:
        raise ValueError("x-goog-cloud-target-resource is not the audience")
    key = keys.get(key_id)
    if key is None:
        raise ValueError("the security token included in the request is invalid")
    if headers.get("x-amz-security-token") != key.session_token:
        raise ValueError("the session token is invalid")
    needed = {"host", "x-amz-date"} | ({"x-amz-security-token"} if key.session_token else set())
    names = signed.split(";")
    if names != sorted(names) or not needed <= set(names) or not set(names) <= set(headers):
        raise ValueError("headers that must be signed are not")
    request_time = headers["x-amz-date"]
    at = calendar.timegm(time.strptime(request_time, "%Y%m%dT%H%M%SZ"))
    if request_time[:8] != date or abs(now - at) > LATEST_SECONDS:
        raise ValueError("the signature has ended")
    query = "&".join(sorted(url.query.split("&")))
    values = [f"{name}:{headers[name].strip()}" for name in names]
    canonical = "\n".join([token["method"], url.path or "/", query, *values, "", signed,
                           hashlib.sha256(b"").hexdigest()])
    if not hmac.compare_digest(told, signature(key.secret, scope, request_time, canonical)):
        raise ValueError("the signature does not match")
    return key.arn
