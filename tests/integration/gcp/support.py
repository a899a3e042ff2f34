"""What the tests beside Google's libraries share: a fake of Google's services with secrets, and an environment of
one's own in which nothing but this machine's loopback can be reached."""
import contextlib
import importlib
import ipaddress
import json
import os
import pathlib
import sys
import tempfile
import unittest
import unittest.mock
import urllib.parse

import google.auth
import google.auth.compute_engine._metadata
import requests.adapters
from google.cloud.secretmanager_v1 import SecretManagerServiceClient

from names import AUDIENCE, LOCATION, NUMBER, POOL, PROJECT, READER  # noqa: F401
from secret_manager import MANAGE, READ
from services import Services

SECRET = f"projects/{PROJECT}/secrets/app-db"
REGIONAL = f"projects/{PROJECT}/locations/{LOCATION}/secrets/app-db"
LATEST = f"{SECRET}/versions/latest"
ACCESS = f"/v1/{LATEST}:access"
ACCESSED = "GET " + ACCESS
LOOKED_UP = "iamcredentials.googleapis.com"  # in the background, for the locations of an account; it may fail
refused_hosts = set()


def keep_to_loopback(event, arguments):
    """Of sys.addaudithook: for all threads, and for good."""
    if event == "socket.getaddrinfo":
        host = arguments[0]
    elif event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    else:
        return
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(host).is_loopback:
            return
    refused_hosts.add(host)
    raise ConnectionRefusedError(f"not on this machine: {host}")


sys.addaudithook(keep_to_loopback)


def find_vectors():
    """The directory, or None."""
    places = [os.environ["QARION_VECTORS"]] if "QARION_VECTORS" in os.environ else [
        "../shared/vectors", pathlib.Path(__file__).parents[3] / "../shared/vectors"]
    return next((pathlib.Path(place, "cloud") for place in places if pathlib.Path(place, "cloud").is_dir()), None)


VECTORS = find_vectors()  # before tests have an environment of their own


class GoogleCase(unittest.TestCase):
    """Each class has its services, home and environment. `pool_reader`: who may read, of the identity pool."""
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        cls.home = pathlib.Path(directory.name)
        cls.enterClassContext(unittest.mock.patch.dict(
            os.environ, {"PATH": str(cls.home), "HOME": str(cls.home), "GOOGLE_CLOUD_PROJECT": PROJECT}, clear=True))

    def setUp(self):
        refused_hosts.clear()
        self.services = Services()
        self.addCleanup(self.services.close)
        self.identity = self.services.identity
        self.secrets = self.services.secrets
        self.project = self.secrets.add_project(PROJECT, NUMBER)
        self.secret = self.secrets.add_secret(PROJECT, "app-db", b"fake first", b"fake second", b"fake third",
                                              aliases={"stable": 2})
        self.regional = self.secrets.add_secret(PROJECT, "app-db", b"fake regional", location=LOCATION)
        self.reader = self.new_reader()
        self.pool_reader = "principal:" + POOL + "/subject/fake-subject"

    def tearDown(self):
        self.assertLessEqual(refused_hosts, {LOOKED_UP})

    account = None

    def new_reader(self):
        """One key for all tests: it takes a while to make one."""
        if GoogleCase.account is None:
            GoogleCase.account = self.identity.new_account(READER)
        account = self.identity.accounts[READER] = GoogleCase.account
        self.allow(account.principal)
        return account

    def allow(self, principal, *permissions):
        self.identity.grant(principal, f"projects/{NUMBER}", *(permissions or READ + MANAGE))

    def environment(self, **variables):
        """Until the end of the test; None takes one away."""
        for name, value in variables.items():
            if value is None:
                os.environ.pop(name, None)
        self.enterContext(unittest.mock.patch.dict(
            os.environ, {name: value for name, value in variables.items() if value is not None}))

    def write(self, name, content):
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return str(path)

    def use(self, file):
        """As the default credentials."""
        self.environment(GOOGLE_APPLICATION_CREDENTIALS=self.write("credentials.json", file))

    def lead_here(self, *hosts):
        """What libraries send to hosts that no file can name otherwise."""
        send = requests.adapters.HTTPAdapter.send

        def led(adapter, request, **more):
            url = urllib.parse.urlsplit(request.url)
            if url.netloc in hosts:
                request.headers["Host"] = url.netloc
                request.url = url._replace(scheme="http", netloc=self.services.address).geturl()
            return send(adapter, request, **more)

        self.enterContext(unittest.mock.patch.object(requests.adapters.HTTPAdapter, "send", led))

    def client(self, endpoint=None, credentials=None):
        return SecretManagerServiceClient(transport="rest", credentials=credentials,
                                          client_options={"api_endpoint": endpoint or self.services.url})

    def read(self, name=LATEST, **more):
        """With the default credentials."""
        return self.client(**more).access_secret_version(name=name)

    def assert_reads(self, client=None):
        found = client.access_secret_version(name=LATEST) if client else self.read()
        self.assertEqual(found.payload.data, b"fake third")
        self.assertEqual(found.name, f"projects/{NUMBER}/secrets/app-db/versions/3")

    def requests(self):
        """First lines without a query, but for look-ups in the background."""
        return [f"{request.method} {request.path}" for request in self.services.seen()
                if not request.path.endswith("/allowedLocations")]

    @contextlib.contextmanager
    def fails(self, kind, message, reason=None, status=None):
        """With an error of Google's library that has these, and is of an HTTP answer."""
        with self.assertRaises(kind) as caught:
            yield
        self.assertIn(message, str(caught.exception))
        if reason:
            self.assertEqual(caught.exception.reason, reason)
        if status:
            self.assertEqual(caught.exception.response.json()["error"]["status"], status)


def read_settings_again():
    """Of the metadata server, which the library reads when a program starts."""
    importlib.reload(google.auth.compute_engine._metadata)
