"""What the tests of the backend `gcp_sm` share: Google's services, a secret, and who may read it."""
import functools
import json
import subprocess

from backend_case import FIELDS, QSECRETS, BackendCase, directory_of, wait_for  # noqa: F401

from google_proxy import NAMES, GoogleProxy
from identity import Account
from issuers import Authority
from names import ARN, AUDIENCE, LOCATION, NUMBER, POOL, PROJECT, READER, USER, WORKFORCE  # noqa: F401
from secret_manager import READ
from services import Services

SECRET = f"projects/{PROJECT}/secrets/qarion-secrets"
ACCESS = f"/v1/{SECRET}/versions/latest:access"
ACCESSED = "GET " + ACCESS
MAY_READ = READ[0]  # all that roles/secretmanager.secretAccessor has of Secret Manager's
GET_TOKEN = "iam.serviceAccounts.getAccessToken"
METADATA = "/computeMetadata/v1/"
METADATA_TOKEN = METADATA + "instance/service-accounts/default/token"
LONG_ENOUGH = 12  # of a credential, to be looked for in outputs
TOKENS_IN_FORMS = ("assertion", "subject_token", "refresh_token", "client_secret")
SECRET_MEMBERS = ("private_key", "client_secret", "refresh_token")
PROXIES = [name for upper in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY") for name in (upper, upper.lower())]


@functools.cache
def account(email):
    """With its key, which takes a while to make: one for all tests."""
    return Account(email)


def secrets_in(document):
    """What stands in such members of a file with credentials, or of those in it."""
    for name, value in document.items():
        if isinstance(value, dict):
            yield from secrets_in(value)
        elif name in SECRET_MEMBERS:
            yield from (line for line in value.splitlines() if not line.startswith("-----"))


class GcpCase(BackendCase):
    """Each test has its services with the secret `qarion-secrets`, which holds FIELDS, and a service account that may
    read it and nothing else. `settings`: those to log in with. `hidden`: what no output may show."""
    maxDiff = None
    addresses = (("127.0.0.1", 0),)  # of the services, the first of which is theirs

    @classmethod
    def setUpClass(cls):
        cls.authority = Authority(directory_of(cls), "google")
        cls.ca = cls.authority.path("google.pem")
        cls.certificate = cls.authority.issue("hosts", ",".join("DNS:" + name for name in NAMES))

    def setUp(self):
        super().setUp()
        self.services = Services(self.addresses)
        self.addCleanup(self.services.close)
        self.identity = self.services.identity
        self.secrets = self.services.secrets
        self.project = self.secrets.add_project(PROJECT, NUMBER)
        self.secret = self.secrets.add_secret(PROJECT, "qarion-secrets", json.dumps(FIELDS).encode())
        self.settings = {}
        self.hidden = []
        self.reader_account = self.new_account(READER)
        self.allow(self.reader_account.principal)
        self.log_in(self.key_file())

    def new_account(self, email):
        made = self.identity.accounts[email] = account(email)
        return made

    def allow(self, principal, *permissions):
        """In the whole project."""
        self.identity.grant(principal, f"projects/{NUMBER}", *(permissions or [MAY_READ]))

    def key_file(self, **more):
        return self.reader_account.key_file(**{"token_uri": "https://oauth2.googleapis.com/token", **more})

    def log_in(self, document, **more):
        """With this file."""
        self.hidden += secrets_in(document)
        path = self.write("credentials.json", json.dumps(document, indent=2))
        self.settings = {"GOOGLE_APPLICATION_CREDENTIALS": path, **more}

    def generated(self):
        """The line that asks for a token which acts as the reader."""
        return f"POST /v1/{self.reader_account.resource}:generateAccessToken"

    def may_act_as_reader(self, principal):
        self.identity.grant(principal, self.reader_account.resource, GET_TOKEN)

    @functools.cached_property
    def proxy(self):
        made = GoogleProxy(self.services.address, *self.certificate)
        self.addCleanup(made.close)
        return made

    def lead_here(self):
        """What is sent to Google's own hosts."""
        self.settings |= {"HTTPS_PROXY": self.proxy.url, "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE": self.ca}

    def backend_settings(self):
        return {"SECRETS_BACKEND": "gcp_sm", "GCP_SECRET_PROJECT": PROJECT, "GCP_SECRET_ENDPOINT": self.services.url,
                "NO_GCE_CHECK": "true", **self.settings}

    def machine(self, **more):
        """Settings of one whose metadata server is here, with the account of the reader and no file."""
        self.services.metadata.account = self.reader_account
        self.settings = {"NO_GCE_CHECK": None, "GCE_METADATA_HOST": self.services.address, **more}

    def run_command(self, *arguments, **settings):
        """In no output is a credential, be it of a file or one that was made of it."""
        result = super().run_command(*arguments, **settings)
        self.assert_nothing_shown(result.stdout, result.stderr)
        return result

    def assert_nothing_shown(self, *streams):
        hidden = [*self.hidden, *self.identity.tokens, *self.identity.id_tokens]
        hidden += [request.bearer().rpartition(".")[2] for request in self.services.seen() if request.bearer()]
        for value in hidden:
            for at in range(0, max(1, len(value) - LONG_ENOUGH + 1), 4):
                for stream in streams:
                    self.assertNotIn(value[at:at + LONG_ENOUGH], stream)

    def assert_masks_tokens(self):
        """Whatever is shown or handed out during a login, in the output of the command that `exec` starts after it."""
        known = {*self.identity.tokens, *self.identity.id_tokens}
        count = len(self.services.seen())
        process = subprocess.Popen([QSECRETS, "exec", "--", "sh", "-c", "echo ready; exec cat"], cwd=self.directory,
                                   env=self.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.communicate)
        self.assertEqual(process.stdout.readline(), "ready\n")
        tokens = {*self.identity.tokens, *self.identity.id_tokens} - known
        for request in self.services.seen()[count:]:
            tokens |= {request.bearer(), *(value for name, value in request.pairs() if name in TOKENS_IN_FORMS)}
        tokens.discard(None)
        self.assertTrue(tokens)
        output, errors = process.communicate("".join(token + "\n" for token in tokens), timeout=60)
        self.assertEqual(output, "***\n" * len(tokens), errors)

    def requests(self):
        """First lines without a query."""
        return [f"{request.method} {request.path}" for request in self.services.seen()]

    def assert_asked(self, *lines):
        self.assertEqual(self.requests(), list(lines))

    def assert_asked_by(self, principal):
        """The last request was that one's."""
        bearer = self.services.requests[-1].bearer()
        known = self.identity.tokens.get(bearer) or self.identity.self_signed(bearer, "secretmanager.googleapis.com")
        self.assertEqual(known.principal, principal)
