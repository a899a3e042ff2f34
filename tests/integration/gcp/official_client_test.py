#!/usr/bin/env python3
"""Google's own client of Secret Manager against the fake of tests/fakes/gcp: the fake is believed because it works with
it unchanged."""
import datetime
import socket
import unittest
import unittest.mock

from google.api import error_reason_pb2
from google.api_core import exceptions
from google.cloud.secretmanager_v1 import SecretVersion

from identity import read_jwt
from secret_manager import MOST_BYTES, READ, crc32c, long_payload, wrong_checksum
from support import (ACCESS, ACCESSED, LATEST, LOCATION, NUMBER, PROJECT, REGIONAL, SECRET, GoogleCase, refused_hosts)


def payload(data):
    return {"data": data, "data_crc32c": crc32c(data)}


class SecretManager(GoogleCase):
    """As a service account, whose key signs what it sends in place of a token."""

    def setUp(self):
        super().setUp()
        self.use(self.reader.key_file(self.services.url + "/token"))

    def test_reads_the_newest_version_and_asks_nobody_for_a_token(self):
        self.assert_reads()
        self.assertEqual(self.requests(), [ACCESSED])
        request, = self.services.seen(ACCESS)
        self.assertEqual(request.query, "%24alt=json%3Benum-encoding%3Dint")
        self.assertEqual(request.headers["x-goog-request-params"], "name=" + LATEST)
        header, claims = read_jwt(request.bearer())
        self.assertEqual(header, {"typ": "JWT", "alg": "RS256", "kid": self.reader.key_id})
        self.assertEqual({name: claims[name] for name in ("iss", "sub", "aud")},
                         {"iss": self.reader.email, "sub": self.reader.email,
                          "aud": "https://secretmanager.googleapis.com/"})

    def test_gives_the_checksum_of_what_it_gives(self):
        found = self.read()
        self.assertEqual(found.payload.data_crc32c, crc32c(found.payload.data))

    def test_checksums_are_those_of_the_standard(self):
        published = {b"123456789": 0xE3069283, bytes(32): 0x8A9136AA, b"\xff" * 32: 0x62A8AB43,  # RFC 3720, B.4
                     bytes(range(32)): 0x46DD794E, bytes(reversed(range(32))): 0x113FDB5C}
        self.assertEqual({data: crc32c(data) for data in published}, published)

    def test_reads_a_version_by_number_and_by_alias(self):
        self.assertEqual(self.read(f"{SECRET}/versions/1").payload.data, b"fake first")
        found = self.read(f"{SECRET}/versions/stable")
        self.assertEqual((found.payload.data, found.name),
                         (b"fake second", f"projects/{NUMBER}/secrets/app-db/versions/2"))

    def test_takes_the_number_of_a_project_for_its_id(self):
        self.assertEqual(self.read(LATEST.replace(PROJECT, str(NUMBER))).payload.data, b"fake third")

    def test_reads_a_regional_secret_which_is_not_the_global_one(self):
        found = self.read(f"{REGIONAL}/versions/latest")
        self.assertEqual((found.payload.data, found.name),
                         (b"fake regional", f"projects/{NUMBER}/locations/{LOCATION}/secrets/app-db/versions/1"))

    def test_a_regional_secret_is_at_the_host_of_the_region_alone(self):
        host = f"secretmanager.{LOCATION}.rep.googleapis.com"
        self.lead_here(host, "secretmanager.googleapis.com")
        self.assertEqual(self.read(f"{REGIONAL}/versions/1", endpoint="https://" + host).payload.data,
                         b"fake regional")
        self.assertEqual(self.services.requests[-1].headers["Host"], host)
        self.assertEqual(self.read(endpoint="https://secretmanager.googleapis.com").payload.data, b"fake third")
        for name, other in ((REGIONAL, "secretmanager.googleapis.com"), (SECRET, host)):
            with self.fails(exceptions.BadRequest, "location", status="INVALID_ARGUMENT"):
                self.read(f"{name}/versions/1", endpoint="https://" + other)

    def test_the_newest_version_does_not_give_way_to_an_older_one(self):
        client = self.client()
        for change, state in ((client.disable_secret_version, "DISABLED"), (client.destroy_secret_version,
                                                                            "DESTROYED")):
            change(name=f"{SECRET}/versions/3")
            with self.fails(exceptions.BadRequest, f"versions/3] is in {state} state.", status="FAILED_PRECONDITION"):
                self.read()
        self.assertEqual(self.read(f"{SECRET}/versions/2").payload.data, b"fake second")

    def test_refuses_whom_nobody_permitted(self):
        self.identity.revoke(self.reader.principal, f"projects/{NUMBER}", READ[0])
        with self.fails(exceptions.Forbidden, f"Permission 'secretmanager.versions.access' denied for resource "
                        f"'{LATEST}'", "IAM_PERMISSION_DENIED", "PERMISSION_DENIED"):
            self.read()
        self.assertEqual(self.client().get_secret_version(name=LATEST).state, SecretVersion.State.ENABLED)
        self.identity.grant(self.reader.principal, self.secret.name, READ[0])
        self.assert_reads()

    def test_knows_what_is_not_there(self):
        for name, missing in ((LATEST.replace("app-db", "none"), "none] not found or has no versions"),
                              (f"{SECRET}/versions/9", "versions/9] not found"),
                              (f"{SECRET}/versions/other", "versions/other] not found")):
            with self.fails(exceptions.NotFound, missing, status="NOT_FOUND"):
                self.read(name)
        self.secrets.add_secret(PROJECT, "empty")
        with self.fails(exceptions.NotFound, "versions/latest] not found", status="NOT_FOUND"):
            self.read(LATEST.replace("app-db", "empty"))

    def test_does_not_tell_strangers_what_is_there(self):
        for name in (LATEST.replace(PROJECT, "other"), LATEST.replace(PROJECT, "none")):
            self.secrets.add_project("other", 99)
            self.secrets.add_secret("other", "app-db", b"fake")
            with self.fails(exceptions.Forbidden, "may not exist", "IAM_PERMISSION_DENIED"):
                self.read(name)

    def test_refuses_projects_that_cannot_use_it(self):
        for name, value, reason, text in (("api_enabled", False, "SERVICE_DISABLED", "has not been used in project"),
                                          ("billing_enabled", False, "BILLING_DISABLED", "requires billing")):
            with self.subTest(reason), unittest.mock.patch.object(self.project, name, value), \
                    self.fails(exceptions.Forbidden, text, reason, "PERMISSION_DENIED"):
                self.read()

    def test_has_a_quota(self):
        self.project.accesses_left = 1
        self.assert_reads()
        with self.fails(exceptions.TooManyRequests, "Quota exceeded", "RATE_LIMIT_EXCEEDED", "RESOURCE_EXHAUSTED"):
            self.read()
        self.assertEqual(len(self.requests()), 2)

    def test_reasons_are_those_of_google(self):
        """All that the fake gives, in Google's list of them."""
        for reason in ("SERVICE_DISABLED", "BILLING_DISABLED", "RATE_LIMIT_EXCEEDED", "USER_PROJECT_DENIED",
                       "CREDENTIALS_MISSING", "ACCESS_TOKEN_EXPIRED", "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
                       "ACCESS_TOKEN_TYPE_UNSUPPORTED"):
            self.assertIn(reason, error_reason_pb2.ErrorReason.keys())

    def test_adds_versions(self):
        client = self.client()
        made = client.add_secret_version(parent=SECRET, payload=payload(b"new"))
        self.assertEqual((made.name, made.state, made.client_specified_payload_checksum),
                         (f"projects/{NUMBER}/secrets/app-db/versions/4", SecretVersion.State.ENABLED, True))
        self.assertAlmostEqual(made.create_time.timestamp(), datetime.datetime.now().timestamp(), delta=60)
        self.assertEqual(self.services.requests[-1].json(),
                         {"payload": {"data": "bmV3", "dataCrc32c": "3611556910"}})
        self.assertEqual(self.read().payload.data, b"new")
        self.assertFalse(client.add_secret_version(parent=SECRET, payload={"data": b"no"})
                         .client_specified_payload_checksum)
        self.assertEqual(client.add_secret_version(parent=REGIONAL, payload=payload(b"new")).name,
                         f"projects/{NUMBER}/locations/{LOCATION}/secrets/app-db/versions/2")

    def test_adds_no_version_that_came_damaged_or_is_too_long(self):
        client = self.client()
        for wrong, text in (({"data": b"new", "data_crc32c": 1}, "checksum"),
                            (payload(b"x" * (MOST_BYTES + 1)), "larger than 65536"), (None, "must be set")):
            with self.fails(exceptions.BadRequest, text, status="INVALID_ARGUMENT"):
                client.add_secret_version(parent=SECRET, payload=wrong)
        self.assert_reads()
        client.add_secret_version(parent=SECRET, payload=payload(b"x" * MOST_BYTES))
        self.assertEqual(len(self.read().payload.data), MOST_BYTES)

    def test_lists_versions_newest_first(self):
        client = self.client()
        client.disable_secret_version(name=f"{SECRET}/versions/2")
        listed = client.list_secret_versions(request={"parent": SECRET, "page_size": 2})
        self.assertEqual([(version.name[-1], version.state.name) for version in listed],
                         [("3", "ENABLED"), ("2", "DISABLED"), ("1", "ENABLED")])
        self.assertEqual(len(self.services.seen(f"GET /v1/{SECRET}/versions?")), 2)
        listed = client.list_secret_versions(request={"parent": SECRET, "filter": "state:ENABLED"})
        self.assertEqual([version.name[-1] for version in listed], ["3", "1"])
        with self.fails(exceptions.BadRequest, "invalid argument", status="INVALID_ARGUMENT"):
            client.list_secret_versions(request={"parent": SECRET, "filter": "size:LARGE"})

    def test_changes_states_and_heeds_etags(self):
        client = self.client()
        name = f"{SECRET}/versions/1"
        first = client.get_secret_version(name=name)
        disabled = client.disable_secret_version(request={"name": name, "etag": first.etag})
        self.assertEqual(disabled.state, SecretVersion.State.DISABLED)
        with self.fails(exceptions.BadRequest, "etag", status="FAILED_PRECONDITION"):
            client.enable_secret_version(request={"name": name, "etag": first.etag})
        self.assertEqual(client.get_secret_version(name=name), disabled)
        again = client.disable_secret_version(request={"name": name, "etag": disabled.etag})
        self.assertNotEqual(again.etag, disabled.etag)  # Google's documentation: no change is a change of the etag
        self.assertEqual(client.enable_secret_version(name=name).state, SecretVersion.State.ENABLED)
        self.assertEqual(self.read(name).payload.data, b"fake first")
        destroyed = client.destroy_secret_version(name=name)
        self.assertEqual(destroyed.state, SecretVersion.State.DESTROYED)
        self.assertIsNotNone(destroyed.destroy_time)
        with self.fails(exceptions.BadRequest, "DESTROYED", status="FAILED_PRECONDITION"):
            client.enable_secret_version(name=name)

    def test_payloads_can_be_damaged(self):
        """Google's client takes what it gets: it is for others to look at the checksum."""
        for damage, data, checksum in ((wrong_checksum(b"fake third"), b"fake third", crc32c(b"fake third") ^ 1),
                                       ({"dataCrc32c": None}, b"fake third", None),
                                       ({"data": "!!!"}, b"", crc32c(b"fake third"))):
            with self.subTest(damage):
                self.secrets.payload = damage
                found = self.read().payload
                self.assertEqual(found.data, data)
                self.assertEqual(found.data_crc32c if "data_crc32c" in found else None, checksum)
        self.secrets.payload = long_payload()
        found = self.read().payload
        self.assertEqual((len(found.data), found.data_crc32c), (MOST_BYTES + 1, crc32c(found.data)))

    def test_a_forged_signature_is_no_identity(self):
        other = self.identity.new_account("other@fake.iam.gserviceaccount.com").key_file("")
        self.use(self.reader.key_file(self.services.url + "/token", private_key=other["private_key"]))
        with self.fails(exceptions.Unauthorized, "invalid authentication credentials",
                        "ACCESS_TOKEN_TYPE_UNSUPPORTED", "UNAUTHENTICATED"):
            self.read()
        self.assertEqual(self.requests(), [ACCESSED] * 3)

    def test_a_clock_that_is_wrong_ends_or_undoes_a_signature(self):
        for hours, reason in ((2, "ACCESS_TOKEN_EXPIRED"), (-2, "ACCESS_TOKEN_TYPE_UNSUPPORTED")):
            with self.subTest(hours):
                self.services.offset = hours * 3600
                with self.fails(exceptions.Unauthorized, "invalid authentication credentials", reason):
                    self.read()

    def test_nothing_but_this_machine_can_be_reached(self):
        for host in ("192.0.2.1", "secretmanager.googleapis.com"):
            with self.assertRaises(ConnectionRefusedError):
                socket.create_connection((host, 443), timeout=1)
            self.assertIn(host, refused_hosts)
        refused_hosts.clear()

    def test_an_answer_can_be_replaced(self):
        self.services.reset({ACCESSED: [(500, {"error": {"code": 500, "message": "fake", "status": "INTERNAL"}}),
                                        (None, ""), None]})
        with self.fails(exceptions.InternalServerError, "fake"):
            self.read()
        with self.assertRaisesRegex(Exception, "Connection aborted"):
            self.read()
        self.assert_reads()


if __name__ == "__main__":
    unittest.main()
