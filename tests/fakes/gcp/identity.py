"""Who asks, and what they may: service accounts with keys, users, identity pools, grants of permissions; the endpoints
that hand out tokens to them; the check of what comes as a bearer.

Principals are written as in IAM policies: serviceAccount:E, user:E, principal://iam.googleapis.com/POOL/subject/S.
"""
import base64
import binascii
import dataclasses
import datetime
import functools
import json
import re
import secrets

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

import aws_identity
from answers import Refusal, api_error, oauth_error

CLOUD = "https://www.googleapis.com/auth/cloud-platform"
IAM = "https://www.googleapis.com/auth/iam"
TOKEN_AUDIENCES = ("https://oauth2.googleapis.com/token", "https://accounts.google.com/o/oauth2/token",
                   "https://www.googleapis.com/oauth2/v4/token")
LONGEST_SECONDS = 3600  # of a JWT and of a token
LONGEST_SIGNED_SECONDS = 12 * 3600  # of claims for signJwt
SKEW_SECONDS = 300
GRANT = "urn:ietf:params:oauth:grant-type:"
TYPE = "urn:ietf:params:oauth:token-type:"
SUBJECT_TYPES = (TYPE + "jwt", TYPE + "id_token", TYPE + "saml2")
AWS_TYPE = "urn:ietf:params:aws:token-type:aws4_request"
HOW_TO = ("Expected OAuth 2 access token, login cookie or other valid authentication credential. See "
          "https://developers.google.com/identity/sign-in/web/devconsole-project.")


def from_base64url(text):
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def to_base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def new_key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_pem(key):
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def read_jwt(text):
    """Header and claims, not verified. ValueError if it is none."""
    parts = text.split(".")
    if len(parts) != 3:
        raise ValueError("not three parts")
    header, claims = (json.loads(from_base64url(part)) for part in parts[:2])
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise ValueError("not objects")
    return header, claims


def sign_jwt(key, key_id, claims):
    """With RS256. `claims`: an object, or JSON as text."""
    parts = (json.dumps({"alg": "RS256", "kid": key_id, "typ": "JWT"}),
             claims if isinstance(claims, str) else json.dumps(claims))
    text = ".".join(to_base64url(part.encode()) for part in parts)
    return text + "." + to_base64url(key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))


def is_signed(text, header, keys):
    """With RS256 by one of the keys, {id: public key}: the one that the header names, or any if it names none."""
    if header.get("alg") != "RS256":
        return False
    signed, _, signature = text.rpartition(".")
    for key_id, key in keys.items():
        if header.get("kid", key_id) == key_id:
            try:
                key.verify(from_base64url(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256())
                return True
            except (InvalidSignature, ValueError):
                pass
    return False


@dataclasses.dataclass
class Account:
    """A service account with one key, made now. `public_keys`: those that Google knows it by, also the one that it
    signs with itself in the account's name (signJwt)."""
    email: str
    project_id: str = "fake-project"
    enabled: bool = True
    unique_id: str = "100000000000000000001"

    def __post_init__(self):
        self.principal = "serviceAccount:" + self.email
        self.key_id = secrets.token_hex(20)
        self.key = new_key()
        self.public_keys = {self.key_id: self.key.public_key()}

    @functools.cached_property
    def managed_key(self):
        """Google's own of this account: id and key."""
        key_id, key = secrets.token_hex(20), new_key()
        self.public_keys[key_id] = key.public_key()
        return key_id, key

    @property
    def resource(self):
        return "projects/-/serviceAccounts/" + self.email

    def key_file(self, token_uri, **more):
        """As Google hands out keys."""
        private = self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                         serialization.NoEncryption())
        return {"type": "service_account", "project_id": self.project_id, "private_key_id": self.key_id,
                "private_key": private.decode(), "client_email": self.email, "client_id": self.unique_id,
                "token_uri": token_uri, "universe_domain": "googleapis.com", **more}


@dataclasses.dataclass
class Login:
    """A user who has logged in, as files of gcloud remember it. Workforce logins have the principal of a pool."""
    principal: str
    client_id: str = "fake-client.apps.googleusercontent.com"
    client_secret: str = "fake-client-secret/+"
    refresh_token: str = ""
    replaces: bool = False  # hands out another refresh token each time
    tells_email: bool = True  # of users: that is among the scopes they logged in for, as gcloud has it

    def __post_init__(self):
        self.refresh_token = self.refresh_token or "fake-1//" + secrets.token_urlsafe(24)


@dataclasses.dataclass
class Provider:
    """Of an identity pool. Subject tokens: texts it knows, {text: subject}; JWTs of an issuer with the keys {id: public
    key}; requests signed with keys of AWS, {key id: aws_identity.Key}."""
    audience: str  # //iam.googleapis.com/…/providers/…
    tokens: dict = dataclasses.field(default_factory=dict)
    issuer: str = ""
    issuer_keys: dict = dataclasses.field(default_factory=dict)
    aws_keys: dict = dataclasses.field(default_factory=dict)
    clients: dict = dataclasses.field(default_factory=dict)  # {client_id: client_secret}
    user_project: str = ""  # that workforce clients have to name, unless they log in as a client

    def principal(self, subject):
        return "principal:" + self.audience.partition("/providers/")[0] + "/subject/" + subject


@dataclasses.dataclass
class Token:
    principal: str
    scopes: list
    ends_at: float


@functools.cache
def made_once():
    return secrets.token_hex(20), new_key()


class Identity:
    """`told_seconds`: what answers say about the life of a token, when it is not the truth."""

    def __init__(self, now):
        self.now = now
        self.url = ""
        self.accounts = {}
        self.logins = []
        self.providers = {}
        self.delegations = set()  # of domains, (account's email, user)
        self.tokens = {}
        self.id_tokens = []
        self.grants = set()
        self.allowed_locations = None  # or the answer
        self.token_seconds = LONGEST_SECONDS - 1
        self.told_seconds = None

    # What is so.

    def new_account(self, email):
        self.accounts[email] = Account(email)
        return self.accounts[email]

    def new_login(self, principal, **more):
        self.logins.append(Login(principal, **more))
        return self.logins[-1]

    def new_provider(self, audience, **more):
        self.providers[audience] = Provider(audience, **more)
        return self.providers[audience]

    def grant(self, principal, resource, *permissions):
        """On that resource and what is below it."""
        self.grants |= {(principal, resource, permission) for permission in permissions}

    def revoke(self, principal, resource, *permissions):
        self.grants -= {(principal, resource, permission) for permission in permissions}

    def allows(self, principal, resource, permission):
        parts = resource.split("/")
        return any((principal, "/".join(parts[:count]), permission) in self.grants
                   for count in range(1, len(parts) + 1))

    def issue(self, principal, scopes=(CLOUD,), seconds=None):
        text = "fake-ya29." + secrets.token_urlsafe(40)
        self.tokens[text] = Token(principal, list(scopes), self.now() + (seconds or self.token_seconds))
        return text

    def end_tokens(self):
        """All that were issued have ended, whatever was told about them."""
        for token in self.tokens.values():
            token.ends_at = 0

    def hand_out(self, principal, scopes, **more):
        token = self.issue(principal, scopes)
        return {"access_token": token, "expires_in": self.told_seconds or self.token_seconds,
                "token_type": "Bearer", **more}

    @property
    def google_key(self):
        """That Google signs tokens with about who somebody is: id and key."""
        return made_once()

    def identity_token(self, account, audience, **more):
        """As the metadata server has them."""
        now = int(self.now())
        key_id, key = self.google_key
        return sign_jwt(key, key_id, {
            "aud": audience, "azp": account.unique_id, "email": account.email, "email_verified": True,
            "exp": now + LONGEST_SECONDS, "iat": now, "iss": "https://accounts.google.com", "sub": account.unique_id,
            **more})

    def user_token(self, email, client_id):
        """As the token endpoint has them beside tokens of users."""
        now = int(self.now())
        key_id, key = self.google_key
        self.id_tokens.append(sign_jwt(key, key_id, {
            "iss": "https://accounts.google.com", "azp": client_id, "aud": client_id, "sub": "100000000000000000002",
            "email": email, "email_verified": True, "iat": now, "exp": now + LONGEST_SECONDS}))
        return self.id_tokens[-1]

    # Who asks.

    def caller(self, request, method, service, *scopes):
        """The principal, if one of these scopes is the token's."""
        told = {"method": method, "service": service}
        token = request.bearer()
        if token is None:
            raise api_error("UNAUTHENTICATED", "Request is missing required authentication credential. " + HOW_TO,
                            "CREDENTIALS_MISSING", **told)
        known = self.tokens.get(token) or self.self_signed(token, service)
        if known is None:
            raise api_error("UNAUTHENTICATED", "Request had invalid authentication credentials. " + HOW_TO,
                            "ACCESS_TOKEN_TYPE_UNSUPPORTED", **told)
        if known.ends_at <= self.now():
            raise api_error("UNAUTHENTICATED", "Request had invalid authentication credentials. " + HOW_TO,
                            "ACCESS_TOKEN_EXPIRED", **told)
        if not set(scopes) & set(known.scopes):
            raise api_error("PERMISSION_DENIED", "Request had insufficient authentication scopes.",
                            "ACCESS_TOKEN_SCOPE_INSUFFICIENT", **told)
        return known.principal

    def self_signed(self, text, service):
        """A JWT in place of a token: for one service, or with scopes. None if it is nothing of the kind."""
        try:
            header, claims = read_jwt(text)
        except (ValueError, UnicodeError):
            return None
        account = self.accounts.get(claims.get("iss"))
        if account is None or not account.enabled or claims.get("sub") != account.email:
            return None
        if not is_signed(text, header, account.public_keys) or not self.is_timely(claims, ended=True):
            return None
        if "aud" in claims and "scope" not in claims:
            scopes = [CLOUD] if claims["aud"] == f"https://{service}/" else None
        else:
            scopes = claims["scope"].split() if "scope" in claims and "aud" not in claims else None
        return scopes and Token(account.principal, scopes, claims["exp"])

    def is_timely(self, claims, ended=False):
        """`ended`: also those that were so."""
        begin, end = claims.get("iat"), claims.get("exp")
        return (isinstance(begin, int) and isinstance(end, int) and begin <= self.now() + SKEW_SECONDS
                and begin < end <= begin + LONGEST_SECONDS and (ended or self.now() < end))

    # What hands out tokens.

    def serves(self, request):
        return request.path in ("/token", "/v1/token", "/v1/oauthtoken") or bool(
            re.search(r"/serviceAccounts/[^/]+:(generateAccessToken|signJwt)$|/allowedLocations$", request.path))

    def answer(self, request):
        if request.path.endswith("/allowedLocations"):
            self.caller(request, "GetAllowedLocations", "iamcredentials.googleapis.com", CLOUD, IAM)
            if self.allowed_locations is None:
                raise api_error("NOT_FOUND", "Requested entity was not found.")
            return 200, self.allowed_locations
        if request.method != "POST":
            raise Refusal(405, "")
        if request.path.endswith(":signJwt"):
            return 200, self.sign(request)
        if ":" in request.path:
            return 200, self.generate_access_token(request)
        endpoint = {"/token": self.oauth2_token, "/v1/token": self.exchange_token,
                    "/v1/oauthtoken": self.refresh_workforce}[request.path]
        return 200, endpoint(request)

    def oauth2_token(self, request):
        """https://oauth2.googleapis.com/token"""
        form = request.form()
        grant = form.get("grant_type", "")
        if grant == GRANT + "jwt-bearer":
            return self.hand_out(*self.assertion(form.get("assertion", "")))
        if grant == "refresh_token":
            return self.refresh(form, (form.get("client_id"), form.get("client_secret")))
        raise oauth_error("unsupported_grant_type", f"Invalid grant_type: {grant}")

    def assertion(self, text):
        """Principal and scopes."""
        try:
            header, claims = read_jwt(text)
        except (ValueError, UnicodeError):
            raise oauth_error("invalid_grant", "Invalid JWT: Failed to parse.") from None
        account = self.accounts.get(claims.get("iss"))
        if account is None or not account.enabled:
            raise oauth_error("invalid_grant", "Invalid grant: account not found")
        if not is_signed(text, header, account.public_keys):
            raise oauth_error("invalid_grant", "Invalid JWT Signature.")
        if claims.get("aud") not in (*TOKEN_AUDIENCES, self.url + "/token"):
            raise oauth_error("invalid_grant", "Invalid JWT: Failed audience check. The right audience is "
                              + TOKEN_AUDIENCES[0])
        if not self.is_timely(claims):
            raise oauth_error("invalid_grant", "Invalid JWT: Token must be a short-lived token (60 minutes) and in a "
                              "reasonable timeframe. Check your iat and exp values in the JWT claim.")
        if not claims.get("scope"):
            raise oauth_error("invalid_scope", "Invalid OAuth scope or ID token audience provided.")
        principal = account.principal
        if claims.get("sub", account.email) != account.email:
            if (account.email, claims["sub"]) not in self.delegations:
                raise oauth_error("unauthorized_client", "Client is unauthorized to retrieve access tokens using this "
                                  "method, or client not authorized for any of the scopes requested.", 401)
            principal = "user:" + claims["sub"]
        return principal, claims["scope"].split()

    def refresh(self, form, client):
        login = next((login for login in self.logins if login.refresh_token == form.get("refresh_token")), None)
        clients = {(known.client_id, known.client_secret) for known in self.logins}
        if client not in clients:
            raise oauth_error("invalid_client", "Unauthorized" if client[0] in dict(clients)
                              else "The OAuth client was not found.", 401)
        if login is None or client != (login.client_id, login.client_secret):
            raise oauth_error("invalid_grant", "Token has been expired or revoked.")
        more = {}
        if login.replaces:
            login.refresh_token = more["refresh_token"] = "fake-1//" + secrets.token_urlsafe(24)
        kind, _, email = login.principal.partition(":")
        if kind == "user" and login.tells_email:
            more["id_token"] = self.user_token(email, login.client_id)
        return self.hand_out(login.principal, [CLOUD], scope=CLOUD, **more)

    def refresh_workforce(self, request):
        """https://sts.googleapis.com/v1/oauthtoken"""
        form = request.form()
        if form.get("grant_type") != "refresh_token":
            raise oauth_error("unsupported_grant_type", "Invalid grant_type.")
        client = request.basic() or (form.get("client_id"), form.get("client_secret"))
        return self.refresh(form, client)

    def exchange_token(self, request):
        """https://sts.googleapis.com/v1/token"""
        form = request.form()
        wanted = {"grant_type": (GRANT + "token-exchange",), "requested_token_type": (TYPE + "access_token",),
                  "subject_token_type": (*SUBJECT_TYPES, AWS_TYPE)}
        for name, values in wanted.items():
            if form.get(name) not in values:
                raise oauth_error("invalid_request", f'Invalid value for "{name}".')
        audience = form.get("audience", "")
        if not audience.startswith("//iam.googleapis.com/"):
            raise oauth_error("invalid_request", 'Invalid value for "audience". This value should be the full resource '
                              "name of the Identity Provider.")
        provider = self.providers.get(audience)
        if provider is None:
            raise oauth_error("invalid_target", 'The target service indicated by the "audience" parameters is invalid. '
                              "This might either be because the pool or provider is disabled or deleted or because it "
                              "doesn't exist.")
        self.check_client(request, form, provider)
        if not form.get("scope"):
            raise oauth_error("invalid_scope", "Invalid OAuth scope.")
        subject = self.subject(form, provider)
        return self.hand_out(provider.principal(subject), form["scope"].split(),
                             issued_token_type=TYPE + "access_token")

    @staticmethod
    def check_client(request, form, provider):
        client = request.basic()
        if client:
            if provider.clients.get(client[0]) != client[1]:
                raise oauth_error("invalid_client", "The client credentials are invalid.", 401)
        elif provider.user_project:
            try:  # some libraries escape it twice
                options = json.loads(aws_identity.unescaped(form.get("options", "")))
            except ValueError:
                options = {}
            if options.get("userProject") != provider.user_project:
                raise oauth_error("invalid_request", "A user project is required.")

    def subject(self, form, provider):
        text = form.get("subject_token", "").strip()  # some libraries send the last newline of a file
        if form["subject_token_type"] == AWS_TYPE:
            try:
                return aws_identity.verify(text, provider.audience, provider.aws_keys, self.now())
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise oauth_error("invalid_grant", f"Invalid AWS credential: {error}") from None
        if text in provider.tokens:
            return provider.tokens[text]
        try:
            header, claims = read_jwt(text)
        except (ValueError, UnicodeError, binascii.Error):
            raise oauth_error("invalid_grant", "Unable to parse the ID Token.") from None
        if claims.get("iss") != provider.issuer:
            raise oauth_error("invalid_grant", f"The issuer in ID Token {claims.get('iss')} does not match the "
                              "expected ones.")
        if not is_signed(text, header, provider.issuer_keys):
            raise oauth_error("invalid_grant", "Invalid signature of the ID Token.")
        if claims.get("aud") not in (provider.audience, "https:" + provider.audience):
            raise oauth_error("invalid_grant", f"The audience in ID Token [{claims.get('aud')}] does not match the "
                              "expected audience.")
        if not claims.get("iat", 0) - SKEW_SECONDS <= self.now() < claims.get("exp", 0):
            raise oauth_error("invalid_grant", f"ID Token issued at {claims.get('iat')} is stale to sign-in.")
        return claims["sub"]

    def called_account(self, request, method, permission, *members):
        """What is asked of iamcredentials.googleapis.com, and which account it is about. Whoever asks has the
        permission on the first in between, each of them on the next, and the last on the account."""
        method_name = "google.iam.credentials.v1.IAMCredentials." + method[0].upper() + method[1:]
        caller = self.caller(request, method_name, "iamcredentials.googleapis.com", CLOUD, IAM)
        asked = request.document("delegates", *members)
        request.parameters()
        name = aws_identity.unescaped(request.path).removeprefix("/v1/").removesuffix(":" + method)
        for target in [*(asked.get("delegates") or []), name]:
            account = self.accounts.get(target.removeprefix("projects/-/serviceAccounts/"))
            if account is None or not self.allows(caller, target, permission):
                raise api_error(
                    "PERMISSION_DENIED", f"Permission '{permission}' denied on resource (or it may not exist).",
                    "IAM_PERMISSION_DENIED", "iam.googleapis.com", permission=permission)
            caller = account.principal
        return asked, account

    def generate_access_token(self, request):
        """https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{email}:generateAccessToken"""
        asked, account = self.called_account(request, "generateAccessToken", "iam.serviceAccounts.getAccessToken",
                                             "scope", "lifetime")
        scopes = asked.get("scope")
        if not isinstance(scopes, list) or not scopes or not all(isinstance(scope, str) for scope in scopes):
            raise api_error("INVALID_ARGUMENT", "The scope list is required.")
        lifetime = re.fullmatch(r"(\d+)(\.\d+)?s", asked.get("lifetime") or f"{LONGEST_SECONDS}s")
        if not lifetime or not 0 < int(lifetime[1]) <= LONGEST_SECONDS:
            raise api_error("INVALID_ARGUMENT", "The value of lifetime is invalid.")
        seconds = int(lifetime[1])
        end = datetime.datetime.fromtimestamp(self.now() + seconds, datetime.UTC)
        return {"accessToken": self.issue(account.principal, scopes, seconds),
                "expireTime": end.strftime("%Y-%m-%dT%H:%M:%SZ")}

    def sign(self, request):
        """https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{email}:signJwt"""
        asked, account = self.called_account(request, "signJwt", "iam.serviceAccounts.signJwt", "payload")
        try:
            claims = json.loads(asked.get("payload"))
        except (TypeError, ValueError):
            claims = None
        if not isinstance(claims, dict):
            raise api_error("INVALID_ARGUMENT", "The payload is not a valid JSON object.")
        end = claims.get("exp", int(self.now()))
        if not isinstance(end, int) or not 0 <= end - int(self.now()) <= LONGEST_SIGNED_SECONDS:
            raise api_error("INVALID_ARGUMENT", "The value of exp is invalid.")
        key_id, key = account.managed_key
        return {"keyId": key_id, "signedJwt": sign_jwt(key, key_id, asked["payload"])}
