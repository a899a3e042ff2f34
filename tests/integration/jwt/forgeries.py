"""Tokens as anybody may write them (RFC 7515, 7519)."""
import base64
import hashlib
import hmac
import json
import time


def key_id(key):
    """As jwt_keys.h has it."""
    return hmac.new(b"qarion-secrets jwt key", key.encode(), hashlib.sha256).hexdigest()[:16]


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def token(key, kind, life, issued_at=None, **header):
    """With a newline."""
    issued_at = int(time.time()) if issued_at is None else issued_at
    parts = ({"alg": "HS256", "typ": kind, **header}, {"iat": issued_at, "exp": issued_at + life})
    text = b".".join(encoded(json.dumps(part).encode()) for part in parts)
    return text + b"." + encoded(hmac.digest(key.encode(), text, "sha256")) + b"\n"
