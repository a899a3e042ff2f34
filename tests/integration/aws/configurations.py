"""Environments and files in which two AWS clients look for credentials: written by hand.

In all texts @HOME@ is the home directory and @URL@ where the scripted services are.
"""
import dataclasses
import hashlib
import json
import os
import pathlib
import shutil
import time

from scripted_services import ROLES_PATH, document, sts_error

# Where a client looks that is told nothing; instances are asked by none that does not say so.
USUAL = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true", "AWS_ENDPOINT_URL_STS": "@URL@",
         "AWS_ENDPOINT_URL_SSO": "@URL@", "AWS_ENDPOINT_URL_SSO_OIDC": "@URL@"}
CONFIG = ".aws/config"
CREDENTIALS = ".aws/credentials"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIAFAKEENVIRONMENT", "AWS_SECRET_ACCESS_KEY": "fake-secret-of-the-environment"}
SOURCE_KEYS = "aws_access_key_id = AKIAFAKESOURCE\naws_secret_access_key = fake-secret-of-source\n"
STATIC = "aws_access_key_id = AKIAFAKE{0}\naws_secret_access_key = fake-secret-of-{0}\n"
ROLE = "arn:aws:iam::123456789012:role/"
TOKEN_FILE = {"token": "fake.web.identity.token"}
WEB_IDENTITY = {"AWS_WEB_IDENTITY_TOKEN_FILE": "@HOME@/token", "AWS_ROLE_ARN": ROLE + "web"}
CONTAINER = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "@URL@/container/creds?id=1"}
INSTANCE = {"AWS_EC2_METADATA_DISABLED": None}


@dataclasses.dataclass
class Configuration:
    name: str
    environment: dict = dataclasses.field(default_factory=dict)
    files: dict = dataclasses.field(default_factory=dict)
    answers: dict = dataclasses.field(default_factory=dict)
    modes: dict = dataclasses.field(default_factory=dict)  # of files
    difference: str = ""  # why the two may differ; empty: they must not

    def sandbox(self, home, services):
        """Makes the home directory anew, since clients write into it. Returns the environment."""
        def fill(text):
            return text.replace("@HOME@", home).replace("@URL@", services.url).replace("@PORT@", str(services.port))

        shutil.rmtree(home, ignore_errors=True)
        os.mkdir(home)
        for name, text in self.files.items():
            path = pathlib.Path(home, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_bytes(fill(text).encode())
        variables = {"PATH": os.environ["PATH"], "HOME": home, **USUAL, **self.environment}
        return {name: fill(value) for name, value in variables.items() if value is not None}


ALL = []


def add(name, environment=None, config=None, credentials=None, files=None, **more):
    files = dict(files or {})
    if config is not None:
        files[CONFIG] = config
    if credentials is not None:
        files[CREDENTIALS] = credentials
    ALL.append(Configuration(name, environment or {}, files, **more))


ENDED = "what seems to have ended is tried, as the clock may be wrong; boto3 refuses it"


def sso_cache(name):
    return f".aws/sso/cache/{hashlib.sha1(name.encode()).hexdigest()}.json"


def after(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


def sso_token(expires_in=3600, **more):
    return json.dumps({"startUrl": "https://sso.example/start", "region": "us-east-1",
                       "accessToken": "fake-sso-access-token", "expiresAt": after(expires_in), **more})


REFRESHABLE = {"clientId": "fake-client", "clientSecret": "fake-client-secret",
               "registrationExpiresAt": after(86400), "refreshToken": "fake-refresh-token"}
SSO_LEGACY = ("sso_start_url = https://sso.example/start\nsso_region = us-east-1\n"
              "sso_account_id = 333333333333\nsso_role_name = fake-sso-role\n")
SSO_PROFILE = "sso_session = corp\nsso_account_id = 333333333333\nsso_role_name = fake-sso-role\n"
SSO_SESSION = ("[sso-session corp]\nsso_start_url = https://sso.example/start\nsso_region = us-east-1\n"
               "sso_registration_scopes = sso:account:access\n")


# Environment.
add("keys of the environment", KEYS)
add("keys and session token of the environment", {**KEYS, "AWS_SESSION_TOKEN": "fake-session-token"})
add("the older name of the token goes first",
    {**KEYS, "AWS_SESSION_TOKEN": "fake-new", "AWS_SECURITY_TOKEN": "fake-old"})
add("an empty older token", {**KEYS, "AWS_SESSION_TOKEN": "fake-new", "AWS_SECURITY_TOKEN": ""})
add("account and expiry of the environment",
    {**KEYS, "AWS_ACCOUNT_ID": "444444444444", "AWS_CREDENTIAL_EXPIRATION": "2036-05-06T07:08:09Z"})
add("expiry of the environment with an offset",
    {**KEYS, "AWS_CREDENTIAL_EXPIRATION": "2036-05-06T07:08:09+02:00"})
add("keys of the environment that ended", {**KEYS, "AWS_CREDENTIAL_EXPIRATION": "2020-01-01T00:00:00Z"},
    difference=ENDED)
add("a key id without a secret key", {"AWS_ACCESS_KEY_ID": "AKIAFAKE"}, credentials="[default]\n" + SOURCE_KEYS)
add("a secret key without a key id", {"AWS_SECRET_ACCESS_KEY": "fake"}, credentials="[default]\n" + SOURCE_KEYS)
add("empty keys of the environment count as none",
    {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, credentials="[default]\n" + SOURCE_KEYS)
add("the environment goes before a profile that is named", {**KEYS, "AWS_PROFILE": "dev"},
    config="[profile dev]\nregion = eu-west-3\n" + SOURCE_KEYS)
add("the environment goes before a role", KEYS, config=f"[default]\nrole_arn = {ROLE}a\nsource_profile = default\n"
    + SOURCE_KEYS)
add("nothing at all")

# Files.
add("keys of the credentials file", credentials="[default]\n" + SOURCE_KEYS)
add("keys of the credentials file with a token",
    credentials="[default]\n" + SOURCE_KEYS + "aws_session_token = fake-session\naws_account_id = 444444444444\n")
add("the older name of the token in the file goes first",
    credentials="[default]\n" + SOURCE_KEYS + "aws_session_token = fake-new\naws_security_token = fake-old\n")
add("keys of the config file", config="[default]\n" + SOURCE_KEYS)
add("keys of both files", config="[default]\n" + STATIC.format("CONFIG"),
    credentials="[default]\n" + STATIC.format("CREDENTIALS"))
add("a key id in one file and a secret key in the other",
    config="[default]\naws_secret_access_key = fake\n", credentials="[default]\naws_access_key_id = AKIAFAKE\n")
add("a profile by AWS_PROFILE", {"AWS_PROFILE": "dev"},
    credentials="[default]\n" + STATIC.format("DEFAULT") + "[dev]\n" + STATIC.format("DEV"))
add("AWS_DEFAULT_PROFILE goes first", {"AWS_PROFILE": "dev", "AWS_DEFAULT_PROFILE": "ops"},
    credentials="[ops]\n" + STATIC.format("OPS") + "[dev]\n" + STATIC.format("DEV"))
add("an empty AWS_PROFILE", {"AWS_PROFILE": ""}, credentials="[default]\n" + SOURCE_KEYS,
    difference="an empty value counts as not set, as everywhere here; boto3 finds no profile of that name")
add("a profile that is not there", {"AWS_PROFILE": "nobody"}, credentials="[default]\n" + SOURCE_KEYS)
add("a profile that is not there, and keys in the environment", {**KEYS, "AWS_PROFILE": "nobody"})
add("a profile of the config file without its word",
    {"AWS_PROFILE": "dev"}, config="[dev]\n" + STATIC.format("BARE"))
add("profile default with and without the word", config="[profile default]\n" + STATIC.format("LONG")
    + "[default]\n" + STATIC.format("SHORT"))
add("profile default without and with the word", config="[default]\n" + STATIC.format("SHORT")
    + "[profile default]\n" + STATIC.format("LONG"))
add("a profile's name with spaces", {"AWS_PROFILE": "my team"},
    config='[profile "my team"]\n' + STATIC.format("TEAM"))
add("a profile's name with odd spaces", {"AWS_PROFILE": "dev"},
    config="[profile   dev ]\n" + STATIC.format("DEV"))
add("other places of the files", {"AWS_CONFIG_FILE": "@HOME@/c", "AWS_SHARED_CREDENTIALS_FILE": "~/d"},
    files={"c": "[default]\nregion = ap-south-1\n", "d": "[default]\n" + SOURCE_KEYS})
add("a place of a file with a variable", {"AWS_CONFIG_FILE": "$PLACE/c", "PLACE": "@HOME@/x"},
    files={"x/c": "[default]\nregion = ap-south-1\n" + SOURCE_KEYS})
add("a relative place of a file", {"AWS_CONFIG_FILE": "c"}, files={"c": "[default]\n" + SOURCE_KEYS})
add("comments and spaces", credentials="# first\n\n[default]\n; second\naws_access_key_id=AKIAFAKE\n"
    "aws_secret_access_key : fake#;not-a-comment\n")
add("a comment behind a key", credentials="[default]\n" + SOURCE_KEYS.rstrip() + " # of mine\n",
    difference="a blank is in no key: it is refused; boto3 signs with the comment as a part of the key")
add("names in capitals", credentials="[default]\nAWS_ACCESS_KEY_ID = AKIAFAKE\nAws_Secret_Access_Key = fake\n")
add("a percent sign", credentials="[default]\naws_access_key_id = AKIAFAKE\naws_secret_access_key = fake%(x)s%%\n")
add("a value that goes on", config="[default]\nregion = eu-\n  west-1\n" + SOURCE_KEYS)
add("a line before any section", credentials="aws_access_key_id = AKIAFAKE\n[default]\n" + SOURCE_KEYS)
add("a section twice", credentials="[default]\n" + SOURCE_KEYS + "[default]\nregion = x\n")
add("a name twice", credentials="[default]\n" + SOURCE_KEYS + "aws_access_key_id = AKIAOTHER\n")
add("a config file that is none, and keys in the credentials file", config="no section\n",
    credentials="[default]\n" + SOURCE_KEYS)
add("a config file that is none, and keys in the environment", KEYS, config="[default\nregion = x\n")
add("a byte order mark", credentials="\ufeff[default]\n" + SOURCE_KEYS)
add("lines that end as on Windows", credentials=("[default]\n" + SOURCE_KEYS).replace("\n", "\r\n"))
add("empty keys in the credentials file, and keys in the config file",
    config="[default]\n" + SOURCE_KEYS, credentials="[default]\naws_access_key_id =\naws_secret_access_key =\n",
    difference="a key id that is empty is none: boto3 would sign with it")
add("a file of EC2's own tools", {"AWS_CREDENTIAL_FILE": "@HOME@/ec2"},
    files={"ec2": "AWSAccessKeyId=AKIAFAKEEC2\nAWSSecretKey=fake-secret\n"})
add("a file of Boto 2", files={".boto": "[Credentials]\n" + SOURCE_KEYS})
add("BOTO_CONFIG", {"BOTO_CONFIG": "@HOME@/b"}, files={"b": "[Credentials]\n" + SOURCE_KEYS, ".boto": "[Credentials]\n"
                                                      + STATIC.format("OTHER")})

# Region and endpoint.
add("a region of the profile", config="[default]\nregion = eu-central-1\n" + SOURCE_KEYS,
    environment={"AWS_DEFAULT_REGION": None})
add("AWS_DEFAULT_REGION goes before the profile", {"AWS_DEFAULT_REGION": "eu-north-1"},
    config="[default]\nregion = eu-central-1\n" + SOURCE_KEYS)
add("no region", {**KEYS, "AWS_DEFAULT_REGION": None})
add("a region of default is not one of another profile", {"AWS_DEFAULT_REGION": None, "AWS_PROFILE": "dev"},
    config="[default]\nregion = eu-central-1\n[profile dev]\n" + SOURCE_KEYS)
add("AWS_REGION", {**KEYS, "AWS_DEFAULT_REGION": None, "AWS_REGION": "eu-central-1"},
    difference="AWS_REGION is read by ours alone: every other SDK of AWS reads it")
for region in ("cn-north-1", "us-gov-west-1", "us-iso-east-1", "us-isob-east-1", "eusc-de-east-1", "xx-unknown-9"):
    add("region " + region, {**KEYS, "AWS_DEFAULT_REGION": region})
    add("dual stack in " + region, {**KEYS, "AWS_DEFAULT_REGION": region, "AWS_USE_DUALSTACK_ENDPOINT": "true"})
    add("FIPS in " + region, {**KEYS, "AWS_DEFAULT_REGION": region, "AWS_USE_FIPS_ENDPOINT": "true"})
add("FIPS and dual stack of the profile",
    config="[default]\nuse_fips_endpoint = true\nuse_dualstack_endpoint = true\n" + SOURCE_KEYS)
add("FIPS and dual stack in China", {**KEYS, "AWS_DEFAULT_REGION": "cn-north-1", "AWS_USE_FIPS_ENDPOINT": "true",
                                     "AWS_USE_DUALSTACK_ENDPOINT": "true"})
add("FIPS in the middle of nowhere, as text that is neither", {**KEYS, "AWS_USE_FIPS_ENDPOINT": "yes"},
    difference="a boolean that is neither true nor false is refused: it may have been meant as true")
add("a region that is no host name", {**KEYS, "AWS_DEFAULT_REGION": "eu west/1"})
add("an endpoint for all services", {**KEYS, "AWS_ENDPOINT_URL": "http://127.0.0.1:1/base/"})
add("an endpoint of the service", {**KEYS, "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
                                   "AWS_ENDPOINT_URL_SECRETS_MANAGER": "https://127.0.0.1:2/x"})
add("endpoints are ignored", {**KEYS, "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
                              "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"})
add("an endpoint of the profile", config="[default]\nendpoint_url = http://127.0.0.1:3\n" + SOURCE_KEYS)
add("an endpoint of the profile's services", config="[default]\nservices = lab\nendpoint_url = http://127.0.0.1:3\n"
    + SOURCE_KEYS + "[services lab]\nsecrets_manager =\n  endpoint_url = http://127.0.0.1:4\n")
add("an endpoint of all services and one of the profile's", {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"},
    config="[default]\nservices = lab\n" + SOURCE_KEYS
    + "[services lab]\nsecrets_manager =\n  endpoint_url = http://127.0.0.1:4\n")
add("services that are not there", config="[default]\nservices = nobody\n" + SOURCE_KEYS)
add("an endpoint together with FIPS", {**KEYS, "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
                                       "AWS_USE_FIPS_ENDPOINT": "true"})
add("an endpoint that is no URL", {**KEYS, "AWS_ENDPOINT_URL": "127.0.0.1"})

# Roles.
add("a role by a source profile", config=f"[default]\nrole_arn = {ROLE}a\nsource_profile = base\n"
    "[profile base]\n" + SOURCE_KEYS)
add("a role with everything", config=f"[default]\nregion = eu-west-2\nrole_arn = {ROLE}a\nsource_profile = base\n"
    "role_session_name = fake-name\nexternal_id = fake-external\nduration_seconds = 1800\n"
    "[profile base]\n" + SOURCE_KEYS, environment={"AWS_DEFAULT_REGION": None})
add("a role whose keys are in the credentials file", config=f"[default]\nrole_arn = {ROLE}a\nsource_profile = base\n",
    credentials="[base]\n" + SOURCE_KEYS + "aws_session_token = fake-source-token\n")
add("a role that is its own source", config=f"[default]\nrole_arn = {ROLE}a\nsource_profile = default\n" + SOURCE_KEYS)
add("a role that is its own source without keys", config=f"[default]\nrole_arn = {ROLE}a\nsource_profile = default\n")
add("a chain of roles", config=f"[default]\nrole_arn = {ROLE}a\nsource_profile = b\n"
    f"[profile b]\nrole_arn = {ROLE}b\nsource_profile = c\nexternal_id = fake-b\n"
    f"[profile c]\nrole_arn = {ROLE}c\nsource_profile = d\n[profile d]\n" + SOURCE_KEYS)
add("a chain in which keys end it", config=f"[default]\nrole_arn = {ROLE}a\nsource_profile = b\n"
    f"[profile b]\nrole_arn = {ROLE}b\nsource_profile = c\n" + STATIC.format("MIDDLE")
    + "[profile c]\n" + SOURCE_KEYS)
add("a circle of roles", config=f"[default]\nrole_arn = {ROLE}a\nsource_profile = b\n"
    f"[profile b]\nrole_arn = {ROLE}b\nsource_profile = default\n")
add("both kinds of source", config=f"[default]\nrole_arn = {ROLE}a\nsource_profile = b\n"
    "credential_source = Environment\n[profile b]\n" + SOURCE_KEYS)
add("a role without a source", config=f"[default]\nrole_arn = {ROLE}a\n" + SOURCE_KEYS)
add("a source profile that is not there", config=f"[default]\nrole_arn = {ROLE}a\nsource_profile = nobody\n")
add("a source profile without keys", config=f"[default]\nrole_arn = {ROLE}a\nsource_profile = b\n"
    "[profile b]\nregion = eu-west-1\n")
add("a source that is the environment", {"AWS_PROFILE": "dev", **KEYS},
    config=f"[profile dev]\nrole_arn = {ROLE}a\ncredential_source = Environment\n")
add("a source that is the environment, which has none",
    config=f"[default]\nrole_arn = {ROLE}a\ncredential_source = Environment\n")
add("a source that is the container", {**CONTAINER, "AWS_CONTAINER_AUTHORIZATION_TOKEN": "fake-auth"},
    config=f"[default]\nrole_arn = {ROLE}a\ncredential_source = EcsContainer\n")
add("a source that is the instance", INSTANCE,
    config=f"[default]\nrole_arn = {ROLE}a\ncredential_source = Ec2InstanceMetadata\n")
add("a source that nobody knows", KEYS | {"AWS_ACCESS_KEY_ID": ""},
    config=f"[default]\nrole_arn = {ROLE}a\ncredential_source = environment\n")
add("a role with MFA", config=f"[default]\nrole_arn = {ROLE}a\nsource_profile = b\n"
    "mfa_serial = arn:aws:iam::123456789012:mfa/me\n[profile b]\n" + SOURCE_KEYS)
add("a role that is refused", config=f"[default]\nrole_arn = {ROLE}a\nsource_profile = b\n[profile b]\n" + SOURCE_KEYS,
    answers={"POST /": sts_error(403, "AccessDenied")})
add("STS that works at the third try",
    config=f"[default]\nrole_arn = {ROLE}a\nsource_profile = b\n[profile b]\n" + SOURCE_KEYS,
    answers={"POST /": [sts_error(500, "InternalFailure"), sts_error(400, "Throttling"), None]})
add("STS that never works",
    config=f"[default]\nrole_arn = {ROLE}a\nsource_profile = b\n[profile b]\n" + SOURCE_KEYS,
    answers={"POST /": sts_error(503, "ServiceUnavailable")})
add("STS that sends something else",
    config=f"[default]\nrole_arn = {ROLE}a\nsource_profile = b\n[profile b]\n" + SOURCE_KEYS,
    answers={"POST /": (200, "<html>no</html>")})
add("a duration that is no number", config=f"[default]\nrole_arn = {ROLE}a\nsource_profile = b\n"
    "duration_seconds = soon\n[profile b]\n" + SOURCE_KEYS,
    difference="a duration that is no number is refused: boto3 asks for the usual one instead")
add("a role of China in a region of it", {"AWS_DEFAULT_REGION": "cn-north-1"},
    config="[default]\nrole_arn = arn:aws-cn:iam::123456789012:role/a\nsource_profile = b\n[profile b]\n" + SOURCE_KEYS)
add("a role with keys in the credentials file goes before those keys",
    config=f"[default]\nrole_arn = {ROLE}a\nsource_profile = b\n[profile b]\n" + SOURCE_KEYS,
    credentials="[default]\n" + STATIC.format("OTHER"))
add("a source profile with SSO", config=f"[default]\nrole_arn = {ROLE}a\nsource_profile = b\n[profile b]\n"
    + SSO_LEGACY, files={sso_cache("https://sso.example/start"): sso_token()})
add("a source profile with a process", config=f"[default]\nrole_arn = {ROLE}a\nsource_profile = b\n[profile b]\n"
    "credential_process = cat @HOME@/out\n", files={"out": json.dumps(
        {"Version": 1, "AccessKeyId": "AKIAFAKEPROCESS", "SecretAccessKey": "fake", "SessionToken": "fake-t"})})
add("a source profile with web identity", config=f"[default]\nrole_arn = {ROLE}a\nsource_profile = b\n[profile b]\n"
    f"role_arn = {ROLE}b\nweb_identity_token_file = @HOME@/token\nrole_session_name = fake-b\n", files=TOKEN_FILE)
add("variables of web identity are not for source profiles", WEB_IDENTITY,
    config=f"[default]\nrole_arn = {ROLE}a\nsource_profile = b\n[profile b]\nregion = eu-west-1\n", files=TOKEN_FILE)

# Web identity.
add("web identity of the environment", WEB_IDENTITY, files=TOKEN_FILE)
add("web identity with a session's name", {**WEB_IDENTITY, "AWS_ROLE_SESSION_NAME": "fake-session-name"},
    files=TOKEN_FILE)
add("web identity goes before the credentials file", WEB_IDENTITY, credentials="[default]\n" + SOURCE_KEYS,
    files=TOKEN_FILE)
add("a role of the profile goes before web identity", WEB_IDENTITY, files=TOKEN_FILE,
    config=f"[default]\nrole_arn = {ROLE}a\nsource_profile = b\n[profile b]\n" + SOURCE_KEYS)
add("web identity of the profile", config=f"[default]\nrole_arn = {ROLE}a\n"
    "web_identity_token_file = @HOME@/token\nrole_session_name = fake-name\n", files=TOKEN_FILE)
add("web identity half of each", {"AWS_WEB_IDENTITY_TOKEN_FILE": "@HOME@/token"},
    config=f"[default]\nrole_arn = {ROLE}a\nsource_profile = default\n", files=TOKEN_FILE)
add("web identity without a role", {"AWS_WEB_IDENTITY_TOKEN_FILE": "@HOME@/token"}, files=TOKEN_FILE,
    credentials="[default]\n" + SOURCE_KEYS)
add("web identity without its file", WEB_IDENTITY, credentials="[default]\n" + SOURCE_KEYS)
add("web identity of a token that ends with a newline", WEB_IDENTITY, files={"token": "fake.token\n"},
    difference="a newline at the end of a token's file is not part of the token; boto3 sends it")
add("web identity without a region", {**WEB_IDENTITY, "AWS_DEFAULT_REGION": None}, files=TOKEN_FILE)
add("web identity that is refused", WEB_IDENTITY, files=TOKEN_FILE, credentials="[default]\n" + SOURCE_KEYS,
    answers={"POST /": sts_error(400, "InvalidIdentityToken")})
add("web identity whose issuer did not answer at first", WEB_IDENTITY, files=TOKEN_FILE,
    answers={"POST /": [sts_error(400, "IDPCommunicationError"), None]})
add("an empty name of a token's file", {**WEB_IDENTITY, "AWS_WEB_IDENTITY_TOKEN_FILE": ""},
    credentials="[default]\n" + SOURCE_KEYS)

# SSO.
add("SSO as it was", config="[default]\n" + SSO_LEGACY, files={sso_cache("https://sso.example/start"): sso_token()})
add("SSO with a session", config="[default]\n" + SSO_PROFILE + SSO_SESSION, files={sso_cache("corp"): sso_token()})
add("SSO with a token to be refreshed", config="[default]\n" + SSO_PROFILE + SSO_SESSION,
    files={sso_cache("corp"): sso_token(60, **REFRESHABLE)})
add("SSO with a token that ended and can be refreshed", config="[default]\n" + SSO_PROFILE + SSO_SESSION,
    files={sso_cache("corp"): sso_token(-60, **REFRESHABLE)})
add("SSO with a token that ended", config="[default]\n" + SSO_PROFILE + SSO_SESSION,
    files={sso_cache("corp"): sso_token(-60)})
add("SSO with a token that ends soon and cannot be refreshed", config="[default]\n" + SSO_PROFILE + SSO_SESSION,
    files={sso_cache("corp"): sso_token(60)})
add("SSO whose refresh is refused but that lives yet", config="[default]\n" + SSO_PROFILE + SSO_SESSION,
    files={sso_cache("corp"): sso_token(60, **REFRESHABLE)},
    answers={"POST /token": (400, {"__type": "InvalidGrantException", "error": "invalid_grant"})})
add("SSO as it was with a token that ended", config="[default]\n" + SSO_LEGACY,
    files={sso_cache("https://sso.example/start"): sso_token(-60)})
add("SSO without a token", config="[default]\n" + SSO_PROFILE + SSO_SESSION, credentials="[default]\n" + SOURCE_KEYS)
add("SSO with a token file that is none", config="[default]\n" + SSO_PROFILE + SSO_SESSION,
    files={sso_cache("corp"): "fake, not JSON"})
add("SSO with a session that is not there", config="[default]\n" + SSO_PROFILE)
add("SSO that contradicts its session", config="[default]\nsso_region = eu-west-1\n" + SSO_PROFILE + SSO_SESSION,
    files={sso_cache("corp"): sso_token()})
add("SSO without a role", config="[default]\nsso_session = corp\nsso_account_id = 333333333333\n" + SSO_SESSION)
add("SSO with a session and nothing else", config="[default]\nsso_session = corp\n" + SSO_SESSION,
    credentials="[default]\n" + SOURCE_KEYS)
add("SSO goes before the credentials file", config="[default]\n" + SSO_LEGACY,
    credentials="[default]\n" + SOURCE_KEYS, files={sso_cache("https://sso.example/start"): sso_token()})
add("SSO that is refused", config="[default]\n" + SSO_LEGACY, credentials="[default]\n" + SOURCE_KEYS,
    files={sso_cache("https://sso.example/start"): sso_token()},
    answers={"GET /federation/credentials": (401, {"__type": "UnauthorizedException"})})

# Processes.
def process(out, **more):
    add(more.pop("name"), config="[default]\ncredential_process = cat @HOME@/out\n" + more.pop("config", ""),
        files={"out": out if isinstance(out, str) else json.dumps(out)}, **more)


PROCESS = {"Version": 1, "AccessKeyId": "AKIAFAKEPROCESS", "SecretAccessKey": "fake-secret-of-process"}
process(PROCESS, name="a process")
process({**PROCESS, "SessionToken": "fake-token", "Expiration": "2036-01-02T03:04:05Z", "AccountId": "555555555555"},
        name="a process that tells everything")
process({**PROCESS, "Expiration": "2020-01-02T03:04:05Z"}, name="a process whose keys ended",
        difference=ENDED)
process({**PROCESS, "Version": 2}, name="a process of another version")
process({"Version": 1, "AccessKeyId": "AKIAFAKE"}, name="a process without a secret key")
process("fake, not JSON", name="a process that prints something else")
process(PROCESS, name="a process beside an account of the profile", config="aws_account_id = 666666666666\n")
process(PROCESS, name="a process after the credentials file", credentials="[default]\n" + SOURCE_KEYS)
process(PROCESS, name="a process before the config file", config=SOURCE_KEYS)
add("a process that fails", config="[default]\ncredential_process = false\n" + SOURCE_KEYS)
add("a process that is not there", config="[default]\ncredential_process = /nowhere/fake\n")
add("a process with quotation marks", config="[default]\ncredential_process = cat \"@HOME@/a b\"\n",
    files={"a b": json.dumps(PROCESS)})
add("a process is no shell", config="[default]\ncredential_process = cat $HOME/out\n",
    files={"out": json.dumps(PROCESS)})
add("login", config="[default]\nlogin_session = arn:aws:iam::123456789012:user/me\n")
add("keys go before login", config="[default]\nlogin_session = arn:aws:iam::123456789012:user/me\n",
    credentials="[default]\n" + SOURCE_KEYS)

# Containers.
add("a container", CONTAINER)
add("a container with a token", {**CONTAINER, "AWS_CONTAINER_AUTHORIZATION_TOKEN": "fake-auth-token"})
add("a container with a token file, which goes first",
    {**CONTAINER, "AWS_CONTAINER_AUTHORIZATION_TOKEN": "fake-auth-token",
     "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "@HOME@/auth"}, files={"auth": "fake-auth-of-file"})
add("a container with a token file that ends with a newline",
    {**CONTAINER, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "@HOME@/auth"}, files={"auth": "fake-auth-of-file\n"},
    difference="a newline at the end of a token's file is not part of the token; boto3 refuses it")
add("a container with a line break in its token",
    {**CONTAINER, "AWS_CONTAINER_AUTHORIZATION_TOKEN": "fake\r\nX-Other: fake"})
add("a container without its token file", {**CONTAINER, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "@HOME@/nothing"})
add("a container with an account", CONTAINER, answers={
    "GET /container/creds": (200, document("container", "account", AccountId="777777777777"))})
add("a container that works at the third try", CONTAINER, answers={
    "GET /container/creds": [(500, ""), (404, ""), (200, document("container", "third"))]})
add("a container that never works does not give way to the instance", {**CONTAINER, **INSTANCE}, answers={
    "GET /container/creds": (500, "")})
add("a container that leaves out a key", CONTAINER, answers={
    "GET /container/creds": (200, {"AccessKeyId": "ASIAFAKE"})})
add("a container elsewhere", {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://192.0.2.1/creds"})
add("a container by name", {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://localhost:@PORT@/container/name"})
add("a container by another loopback address",
    {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.9:1/container"})
add("a task at its own address", {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/fake?x=1"})
add("a relative URI goes first", {**CONTAINER, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/fake"})
add("a pod at its own address", {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/v1/credentials",
                                 "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "@HOME@/pod"},
    files={"pod": "fake.pod.token"})
add("a pod at its own IPv6 address", {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://[fd00:ec2::23]/v1/credentials",
                                      "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "@HOME@/pod"},
    files={"pod": "fake.pod.token"})
add("an empty relative URI", {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": ""})
add("web identity goes before a container", {**WEB_IDENTITY, **CONTAINER}, files=TOKEN_FILE)
add("static keys go before a container", CONTAINER, credentials="[default]\n" + SOURCE_KEYS)

# Instances.
add("an instance", INSTANCE)
add("an instance elsewhere", {**INSTANCE, "AWS_EC2_METADATA_SERVICE_ENDPOINT": "@URL@"})
add("an instance elsewhere with a slash", {**INSTANCE, "AWS_EC2_METADATA_SERVICE_ENDPOINT": "@URL@/"})
add("an instance by IPv6", {**INSTANCE, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "IPv6"})
add("an instance by IPv6 of the profile", INSTANCE, config="[default]\nec2_metadata_service_endpoint_mode = ipv6\n")
add("a mode that nobody knows", {**INSTANCE, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "IPv5"})
add("an instance that is not to be asked", {"AWS_EC2_METADATA_DISABLED": "true"})
add("an instance that is not to be asked, in capitals", {"AWS_EC2_METADATA_DISABLED": "TRUE"})
for status in (401, 403, 404, 405, 500, 503):
    add(f"an instance whose token is answered {status}", INSTANCE, answers={"PUT /latest/api/token": (status, "")})
add("an instance whose token is a bad request", INSTANCE, answers={"PUT /latest/api/token": (400, "")})
add("an instance without tokens where those are wanted", {**INSTANCE, "AWS_EC2_METADATA_V1_DISABLED": "true"},
    answers={"PUT /latest/api/token": (403, "")})
add("an instance whose token never comes", INSTANCE, answers={"PUT /latest/api/token": ("hang", "")})
add("an instance that hangs up", INSTANCE, answers={"PUT /latest/api/token": (None, "")})
add("an instance without a role", INSTANCE, answers={"GET " + ROLES_PATH: (404, "")})
add("an instance whose role cannot be had", INSTANCE, answers={
    "GET " + ROLES_PATH + "fake-role": (200, {"Code": "AssumeRoleUnauthorizedAccess", "Message": "fake"})})
add("an instance that sends something else", INSTANCE, answers={"GET " + ROLES_PATH + "fake-role": (200, "<html>")})
add("an instance that works at the second try", {**INSTANCE, "AWS_METADATA_SERVICE_NUM_ATTEMPTS": "2"}, answers={
    "GET " + ROLES_PATH + "fake-role": [(500, ""), None]})
add("an instance that would work at the second try", INSTANCE, answers={
    "GET " + ROLES_PATH + "fake-role": [(500, ""), None]})
add("attempts that are no number", {**INSTANCE, "AWS_METADATA_SERVICE_NUM_ATTEMPTS": "many"})
add("a time limit that is no number", {**INSTANCE, "AWS_METADATA_SERVICE_TIMEOUT": "soon"})

# Limits of attempts.
add("an unknown way to retry", {**KEYS, "AWS_RETRY_MODE": "fast"})
add("the old way to retry", {**KEYS, "AWS_RETRY_MODE": "legacy"})
add("the adaptive way to retry", {**KEYS, "AWS_RETRY_MODE": "adaptive"})
add("attempts of all services that are no number", {**KEYS, "AWS_MAX_ATTEMPTS": "many"})
add("no attempts", {**KEYS, "AWS_MAX_ATTEMPTS": "0"})
