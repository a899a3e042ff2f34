#!/usr/bin/env python3
"""What Google's client for Python never sends, and clients for other languages do: the fake of tests/fakes/gcp takes
what any of Google's libraries sends, and refuses what Google would."""
import base64
import http.client
import json
import os
import pathlib
import subprocess
import sys
import unittest
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.credentials
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

import identity
import secret_manager
import services
from aws_identity import Key
from credential_files import AWS_TYPE
from identity import CLOUD, GRANT, TYPE
from support import (ACCESS, AUDIENCE, LATEST, LOCATION, NUMBER, PROJECT, READER, REGIONAL, SECRET, VECTORS, GoogleCase)

OTHER = "other@fake.iam.gserviceaccount.com"
ARN = "arn:aws:sts::222222222222:assumed-role/fake-role/fake-session"
METADATA = "/computeMetadata/v1/"
ACCOUNT = METADATA + "instance/service-accounts/default/"
FLAVOUR = {"Metadata-Flavor": "Google"}


def signed(account, header, claims):
    def encoded(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    text = encoded(json.dumps(header).encode()) + "." + encoded(json.dumps(claims).encode())
    return text + "." + encoded(account.key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))


class SomeSigned(botocore.auth.SigV4Auth):
    """Leaves a header out of those that it signs."""

    def __init__(self, left_out, *arguments):
        super().__init__(*arguments)
        self.left_out = left_out

    def headers_to_sign(self, request):
        headers = super().headers_to_sign(request)
        del headers[self.left_out]
        return headers


class FakeCase(GoogleCase):
    def setUp(self):
        super().setUp()
        self.now = int(self.services.now())
        self.header = {"alg": "RS256", "typ": "JWT", "kid": self.reader.key_id}

    def ask(self, method, path, body=None, headers=(), **more):
        """Status, answer and its headers."""
        headers = dict(headers)
        if isinstance(body, dict):
            body = json.dumps(body)
            headers = {"Content-Type": "application/json", **headers}
        connection = http.client.HTTPConnection(self.services.address, timeout=10)
        connection.request(method, path, body=body, headers=headers, **more)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, json.loads(text) if "json" in answer.headers["Content-Type"] else text, answer.headers

    def post(self, path, pairs, headers=()):
        return self.ask("POST", path, urllib.parse.urlencode(pairs), {
            "Content-Type": "application/x-www-form-urlencoded", **dict(headers)})

    def assert_accepted(self, answer):
        self.assertEqual(answer[0], 200, answer)
        return answer[1]

    def assert_refused(self, answer, status, word):
        """`word`: the reason, or where there is none the status or the error."""
        self.assertEqual(answer[0], status, answer)
        error = answer[1]["error"]
        if isinstance(error, dict):
            self.assertEqual(error["code"], status)
            error = error["details"][0]["reason"] if "details" in error else error["status"]
        self.assertEqual(error, word, answer)

    def bearer(self, **more):
        return {"Authorization": "Bearer " + self.identity.issue(self.reader.principal, **more)}


class Bearers(FakeCase):
    def access(self, authorization=None):
        return self.ask("GET", ACCESS, headers={"Authorization": authorization} if authorization else {})

    def self_signed(self, header=None, leave_out=(), **claims):
        claims = {"iss": READER, "sub": READER, "iat": self.now, "exp": self.now + 3600, **claims}
        claims = {name: value for name, value in claims.items() if name not in leave_out}
        return self.access("Bearer " + signed(self.reader, header or self.header, claims))

    def test_without_one(self):
        for authorization in (None, "Basic ZmFrZTpmYWtl", "fake"):
            answer = self.access(authorization)
            self.assert_refused(answer, 401, "CREDENTIALS_MISSING")
            self.assertEqual(answer[1]["error"]["status"], "UNAUTHENTICATED")
            self.assertTrue(answer[2]["WWW-Authenticate"].startswith("Bearer realm="))

    def test_that_is_nothing(self):
        for token in ("fake", "a.b.c", "", "{}.{}.{}", "fake-ya29.other"):
            self.assert_refused(self.access("Bearer " + token), 401, "ACCESS_TOKEN_TYPE_UNSUPPORTED")

    def test_that_is_signed(self):
        audience = {"aud": "https://secretmanager.googleapis.com/"}
        for claims in (audience, {"scope": CLOUD}, {"scope": f"https://fake.test {CLOUD}"},
                       {**audience, "iat": self.now - 10, "exp": self.now + 3590}):
            self.assert_accepted(self.self_signed(**claims))
        for header in ({"alg": "RS256"}, {"typ": "JWT", "alg": "RS256", "kid": self.reader.key_id}):
            self.assert_accepted(self.self_signed(header, **audience))

    def test_that_is_signed_wrongly(self):
        audience = {"aud": "https://secretmanager.googleapis.com/"}
        for claims in ({**audience, "scope": CLOUD}, {}, {"aud": "https://fake.test/"},
                       {"aud": "https://oauth2.googleapis.com/token"}, {**audience, "sub": OTHER},
                       {**audience, "exp": self.now + 3601}, {**audience, "exp": str(self.now + 3600)},
                       {**audience, "iat": self.now + 600}, {**audience, "iss": OTHER, "sub": OTHER}):
            with self.subTest(claims):
                self.assert_refused(self.self_signed(**claims), 401, "ACCESS_TOKEN_TYPE_UNSUPPORTED")
        for name in ("iss", "sub", "iat", "exp"):
            with self.subTest(without=name):
                self.assert_refused(self.self_signed(leave_out=[name], **audience), 401,
                                    "ACCESS_TOKEN_TYPE_UNSUPPORTED")
        for header in ({"alg": "none"}, {"alg": "HS256"}, {**self.header, "kid": "fake"}):
            with self.subTest(header):
                self.assert_refused(self.self_signed(header, **audience), 401, "ACCESS_TOKEN_TYPE_UNSUPPORTED")

    def test_that_ended(self):
        self.assert_refused(self.self_signed(scope=CLOUD, iat=self.now - 3600, exp=self.now - 1), 401,
                            "ACCESS_TOKEN_EXPIRED")
        token = self.bearer(seconds=100)
        self.services.advance(99)
        self.assert_accepted(self.ask("GET", ACCESS, headers=token))
        self.services.advance(1)
        self.assert_refused(self.ask("GET", ACCESS, headers=token), 401, "ACCESS_TOKEN_EXPIRED")

    def test_with_the_scope_of_something_else(self):
        self.assert_refused(self.ask("GET", ACCESS, headers=self.bearer(scopes=["https://fake.test"])), 403,
                            "ACCESS_TOKEN_SCOPE_INSUFFICIENT")

    def test_of_an_account_that_is_disabled(self):
        self.reader.enabled = False
        self.addCleanup(setattr, self.reader, "enabled", True)
        self.assert_refused(self.self_signed(scope=CLOUD), 401, "ACCESS_TOKEN_TYPE_UNSUPPORTED")


class Tokens(FakeCase):
    def assertion(self, header, form=sorted, **claims):
        return self.post("/token", form([("grant_type", GRANT + "jwt-bearer"),
                                         ("assertion", signed(self.reader, header, claims))]))

    def test_the_assertion_of_go(self):
        self.assert_accepted(self.assertion(
            self.header, iss=READER, scope=CLOUD, exp=self.now + 3590, iat=self.now - 10,
            aud=self.services.url + "/token"))

    def test_the_assertion_of_node(self):
        answer = self.assert_accepted(self.assertion(
            {"alg": "RS256"}, list, iss=READER, scope=CLOUD, aud="https://oauth2.googleapis.com/token",
            exp=self.now + 3600, iat=self.now))
        self.assertEqual(set(answer), {"access_token", "expires_in", "token_type"})
        self.assertEqual(answer["expires_in"], 3599)

    def test_other_assertions(self):
        right = {"iss": READER, "scope": CLOUD, "aud": self.services.url + "/token", "exp": self.now + 3600,
                 "iat": self.now}
        for claims, error in (({"aud": "https://fake.test/token"}, "invalid_grant"), ({"scope": ""}, "invalid_scope"),
                              ({"exp": self.now + 3700}, "invalid_grant"), ({"iss": OTHER}, "invalid_grant")):
            with self.subTest(claims):
                self.assert_refused(self.assertion(self.header, **{**right, **claims}), 400, error)

    def test_forms(self):
        assertion = signed(self.reader, self.header, {})
        for pairs, headers, error in (
                ([("grant_type", "password")], {}, "unsupported_grant_type"), ([], {}, "unsupported_grant_type"),
                ([("grant_type", GRANT + "jwt-bearer"), ("assertion", "fake")], {}, "invalid_grant"),
                ([("grant_type", GRANT + "jwt-bearer")] * 2 + [("assertion", assertion)], {}, "invalid_request"),
                ([("grant_type", GRANT + "jwt-bearer")], {"Content-Type": "application/json"}, "invalid_request")):
            with self.subTest(pairs, **headers):
                self.assert_refused(self.post("/token", pairs, headers), 400, error)
        self.assertEqual(self.ask("GET", "/token")[0], 405)

    def exchange(self, audience=AUDIENCE, token="fake-subject-token", kind=TYPE + "jwt", **more):
        return self.post("/v1/token", sorted({
            "grant_type": GRANT + "token-exchange", "audience": audience, "scope": CLOUD, "subject_token": token,
            "requested_token_type": TYPE + "access_token", "subject_token_type": kind, **more}.items()))

    def test_an_exchange(self):
        self.identity.new_provider(AUDIENCE, tokens={"fake-subject-token": "fake-subject"})
        answer = self.assert_accepted(self.exchange())
        self.assertEqual(answer["issued_token_type"], TYPE + "access_token")
        self.assertEqual(self.identity.tokens[answer["access_token"]].principal, self.pool_reader)
        self.assert_accepted(self.exchange(token="fake-subject-token\n"))
        for more, error in (({"scope": ""}, "invalid_scope"), ({"audience": "fake"}, "invalid_request"),
                            ({"grant_type": "fake"}, "invalid_request"), ({"kind": "fake"}, "invalid_request"),
                            ({"requested_token_type": "fake"}, "invalid_request"), ({"token": ""}, "invalid_grant")):
            with self.subTest(more):
                self.assert_refused(self.exchange(**more), 400, error)

    def test_a_token_of_an_issuer(self):
        self.identity.new_provider(AUDIENCE, issuer="https://fake.test", issuer_keys=self.reader.public_keys)
        right = {"iss": "https://fake.test", "sub": "fake-subject", "aud": AUDIENCE, "iat": self.now,
                 "exp": self.now + 600}
        for audience in (AUDIENCE, "https:" + AUDIENCE):
            self.assert_accepted(self.exchange(token=signed(self.reader, self.header, {**right, "aud": audience})))
        for change in ({"iss": "https://other.test"}, {"aud": "https://fake.test"}, {"exp": self.now},
                       {"iat": self.now + 600}):
            with self.subTest(change):
                token = signed(self.reader, self.header, {**right, **change})
                self.assert_refused(self.exchange(token=token), 400, "invalid_grant")
        token = signed(identity.Account(OTHER), self.header, right)
        self.assert_refused(self.exchange(token=token), 400, "invalid_grant")

    def test_options_of_a_workforce(self):
        self.identity.new_provider(AUDIENCE, tokens={"fake-subject-token": "fake-subject"}, user_project=PROJECT,
                                   clients={"fake": "fake-password"})
        plain = json.dumps({"userProject": PROJECT})
        for options in (plain, plain.replace(" ", ""), urllib.parse.quote(plain)):
            self.assert_accepted(self.exchange(options=options))
        for options in ("", "{}", plain.replace(PROJECT, "other")):
            self.assert_refused(self.exchange(options=options), 400, "invalid_request")

    def signed_by_aws(self, region="us-east-1", target=AUDIENCE, left_out="fake", method="POST",
                      action="GetCallerIdentity"):
        """As Go does it: headers as HTTP writes them, the target among those that are signed. boto3's library signs."""
        request = botocore.awsrequest.AWSRequest(
            method, f"https://sts.us-east-1.amazonaws.com?Action={action}&Version=2011-06-15",
            headers={"X-Goog-Cloud-Target-Resource": target})
        credentials = botocore.credentials.Credentials("AKIAFAKE", "fake-aws-secret", "fake-token")
        SomeSigned(left_out, credentials, "sts", region).add_auth(request)
        return {"url": request.url, "method": method, "headers": [
            {"key": name, "value": value} for name, value in
            sorted({**request.headers, "Host": "sts.us-east-1.amazonaws.com"}.items())]}

    def test_a_request_signed_for_aws(self):
        provider = self.identity.new_provider(AUDIENCE, aws_keys={
            "AKIAFAKE": Key("fake-aws-secret", ARN, "fake-token")})

        def exchange(asked):
            text = json.dumps(asked).replace("&", "\\u0026")
            return self.exchange(token=urllib.parse.quote(text, safe=""), kind=AWS_TYPE)

        answer = self.assert_accepted(exchange(self.signed_by_aws()))
        self.assertEqual(self.identity.tokens[answer["access_token"]].principal, provider.principal(ARN))
        right = self.signed_by_aws()
        for change in (self.signed_by_aws(action="GetSessionToken"),
                       {"url": right["url"].replace("https", "http")}, {"url": right["url"].replace(".us-east-1", "")},
                       {"url": right["url"].replace("amazonaws.com", "fake.test")},
                       self.signed_by_aws(method="GET"), self.signed_by_aws("us-east-2"),
                       self.signed_by_aws(left_out="host"), self.signed_by_aws(left_out="x-amz-date"),
                       self.signed_by_aws(left_out="x-amz-security-token"),
                       {"headers": [entry for entry in right["headers"] if "Target" not in entry["key"]]},
                       {"headers": self.signed_by_aws(target=AUDIENCE + "-other")["headers"]},
                       {"headers": [{**entry, "value": entry["value"].replace("fake-token", "fake-other")}
                                    for entry in right["headers"]]}):
            with self.subTest(change):
                self.assert_refused(exchange({**right, **change}), 400, "invalid_grant")
        for token in ("fake", "{}", "[]", '{"headers": [{}], "url": "", "method": "POST"}'):
            self.assert_refused(self.exchange(token=token, kind=AWS_TYPE), 400, "invalid_grant")

    def test_generated_tokens(self):
        target = self.identity.accounts[OTHER] = identity.Account(OTHER)
        path = f"/v1/{target.resource}:generateAccessToken"
        right = {"scope": [CLOUD], "lifetime": "3600s"}
        self.assert_refused(self.ask("POST", path, right, self.bearer()), 403, "IAM_PERMISSION_DENIED")
        self.identity.grant(self.reader.principal, target.resource, "iam.serviceAccounts.getAccessToken")
        for body in (right, {**right, "delegates": None}, {**right, "delegates": []}, {"scope": [CLOUD]}):
            answer = self.assert_accepted(self.ask("POST", path, body, self.bearer()))
            self.assertEqual(set(answer), {"accessToken", "expireTime"})
            self.assertEqual(self.identity.tokens[answer["accessToken"]].principal, target.principal)
        for change in ({"scope": []}, {"scope": None}, {"lifetime": "3601s"}, {"lifetime": "0s"}, {"lifetime": "1h"},
                       {"fake": 1}, {"scope": CLOUD}):
            with self.subTest(change):
                self.assert_refused(self.ask("POST", path, {**right, **change}, self.bearer()), 400,
                                    "INVALID_ARGUMENT")
        self.assert_refused(self.ask("POST", path, {**right, "delegates": [target.resource]}, self.bearer()), 403,
                            "IAM_PERMISSION_DENIED")
        self.assert_refused(self.ask("POST", path, right), 401, "CREDENTIALS_MISSING")

    def test_signed_claims(self):
        target = self.identity.accounts[OTHER] = identity.Account(OTHER)
        path = f"/v1/{target.resource}:signJwt"
        claims = {"sub": OTHER, "aud": "fake", "exp": self.now + 900}
        self.assert_refused(self.ask("POST", path, {"payload": json.dumps(claims)}, self.bearer()), 403,
                            "IAM_PERMISSION_DENIED")
        self.identity.grant(self.reader.principal, target.resource, "iam.serviceAccounts.signJwt")
        for scope in (CLOUD, identity.IAM):
            answer = self.assert_accepted(self.ask("POST", path, {"payload": json.dumps(claims), "delegates": []},
                                                   self.bearer(scopes=[scope])))
            self.assertEqual(set(answer), {"keyId", "signedJwt"})
            header, signed_claims = identity.read_jwt(answer["signedJwt"])
            self.assertEqual((header["kid"], signed_claims), (answer["keyId"], claims))
            self.assertTrue(identity.is_signed(answer["signedJwt"], header, target.public_keys))
            self.assertFalse(identity.is_signed(answer["signedJwt"], header, {target.key_id: target.key.public_key()}))
        for payload in (None, claims, "fake", "[]", json.dumps({"exp": str(self.now + 900)}),
                        json.dumps({"exp": self.now - 60}), json.dumps({"exp": self.now + 12 * 3600 + 60})):
            with self.subTest(payload):
                self.assert_refused(self.ask("POST", path, {"payload": payload}, self.bearer()), 400,
                                    "INVALID_ARGUMENT")
        self.assert_refused(self.ask("POST", path, {"payload": "{}", "scope": [CLOUD]}, self.bearer()), 400,
                            "INVALID_ARGUMENT")


class Metadata(FakeCase):
    def setUp(self):
        super().setUp()
        self.services.metadata.account = self.reader

    def test_says_who_it_is_and_wants_to_hear_it(self):
        for path in ("/", METADATA + "instance/", ACCOUNT + "token", METADATA + "project/project-id",
                     METADATA + "none"):
            self.assertEqual(self.ask("GET", path, headers=FLAVOUR)[2]["Metadata-Flavor"], "Google")
        self.assertEqual(self.ask("GET", "/")[0], 200)
        for headers in ({}, {"Metadata-Flavor": "Other"}, {**FLAVOUR, "X-Forwarded-For": "127.0.0.1"}):
            self.assertEqual(self.ask("GET", ACCOUNT + "token", headers=headers)[0], 403)
        self.assertEqual(self.ask("PUT", ACCOUNT + "token", headers=FLAVOUR)[0], 405)

    def test_tells(self):
        for path, text in ((METADATA + "project/project-id", PROJECT), (ACCOUNT + "email", READER),
                           (METADATA + "project/numeric-project-id", str(NUMBER)), (ACCOUNT + "scopes", CLOUD + "\n"),
                           (METADATA + "universe/universe-domain", "googleapis.com")):
            self.assertEqual(self.ask("GET", path, headers=FLAVOUR)[:2], (200, text))
        self.assertEqual(self.ask("GET", ACCOUNT + "?recursive=true", headers=FLAVOUR)[1],
                         {"aliases": ["default"], "email": READER, "scopes": [CLOUD]})
        for path in (METADATA + "none", ACCOUNT + "none", ACCOUNT.replace("default", "none") + "token"):
            self.assertEqual(self.ask("GET", path, headers=FLAVOUR)[0], 404)

    def test_says_who_the_machine_is(self):
        key_id, key = self.identity.google_key
        path = ACCOUNT + "identity?audience=fake%20audience"
        for more, has_instance in (("", False), ("&format=standard", False), ("&format=full", True)):
            token = self.assert_accepted(self.ask("GET", path + more, headers=FLAVOUR))
            header, claims = identity.read_jwt(token)
            self.assertTrue(identity.is_signed(token, header, {key_id: key.public_key()}))
            self.assertEqual((header["kid"], claims["aud"], claims["email"]), (key_id, "fake audience", READER))
            self.assertEqual("google" in claims, has_instance)
        self.assertEqual(self.ask("GET", ACCOUNT + "identity", headers=FLAVOUR)[0], 400)
        self.assertEqual(self.ask("GET", path)[0], 403)

    def test_hands_out_tokens_by_name_and_scope(self):
        for path, scopes in ((ACCOUNT + "token", [CLOUD]), (ACCOUNT.replace("default", READER) + "token", [CLOUD]),
                             (ACCOUNT + "token?scopes=a%2Cb", ["a", "b"])):
            answer = self.assert_accepted(self.ask("GET", path, headers=FLAVOUR))
            self.assertEqual(self.identity.tokens[answer["access_token"]].scopes, scopes)


class Calls(FakeCase):
    def get(self, path, **headers):
        return self.ask("GET", path, headers={**self.bearer(), **headers})

    def test_states_are_words_unless_numbers_are_wanted(self):
        path = f"/v1/{LATEST}"
        for query, state in (("", "ENABLED"), ("?alt=json", "ENABLED"), ("?$alt=json;enum-encoding=int", 1),
                             ("?%24alt=json%3Benum-encoding%3Dint", 1)):
            self.assertEqual(self.get(path + query)[1]["state"], state)

    def test_names_are_escaped_once(self):
        self.assert_accepted(self.get(ACCESS.replace("app-db", "app%2Ddb")))
        for name in ("app%20db", "a%252Fb", "k%C3%A4se", "..", "x" * 256):
            self.assert_refused(self.get(ACCESS.replace("app-db", name)), 400, "INVALID_ARGUMENT")

    def test_what_is_no_call(self):
        for method, path in (("POST", ACCESS), ("GET", f"/v1/{LATEST}:disable"), ("GET", f"/v1/{LATEST}:fake"),
                             ("GET", f"/v1/{SECRET}:access"), ("POST", f"/v1/{SECRET}/versions:addVersion"),
                             ("GET", ACCESS.replace("/v1/", "/v2/")), ("GET", ACCESS + "/"), ("GET", "//" + ACCESS)):
            with self.subTest(method, path=path):
                status, body, _ = self.ask(method, path, headers=self.bearer())
                self.assertEqual(status, 404)
                self.assertIn("<!DOCTYPE html>", body)
        self.assert_refused(self.get(ACCESS + "?fake=1"), 400, "INVALID_ARGUMENT")

    def test_bodies(self):
        path = f"/v1/{SECRET}:addVersion"
        for data, crc in (("bmV3", "3611556910"), ("bmV3", 3611556910), ("-_8=", None)):
            self.assert_accepted(self.ask("POST", path, {"payload": {"data": data, "dataCrc32c": crc}}, self.bearer()))
        self.assertEqual([version.data for version in self.secret.versions[-3:]], [b"new", b"new", b"\xfb\xff"])
        for body in ({}, {"payload": {}}, {"payload": {"data": 1}}, {"payload": {"data": "bmV"}}, {"fake": 1},
                     {"payload": {"data": "bmV3", "fake": 1}}, {"payload": {"data": "bmV3", "dataCrc32c": "1"}},
                     "[]", "", "{"):
            with self.subTest(body):
                self.assert_refused(self.ask("POST", path, body, {"Content-Type": "application/json",
                                                                  **self.bearer()}), 400, "INVALID_ARGUMENT")
        self.assertEqual(len(self.secret.versions), 6)

    def test_a_region_has_its_host(self):
        regional = f"secretmanager.{LOCATION}.rep.googleapis.com"
        for path, host, status in ((f"/v1/{REGIONAL}/versions/1:access", regional, 200),
                                   (f"/v1/{REGIONAL}/versions/1:access", "secretmanager.googleapis.com", 400),
                                   (ACCESS, "secretmanager.googleapis.com", 200), (ACCESS, regional, 400),
                                   (f"/v1/{REGIONAL}/versions/1:access", regional.replace("west3", "west4"), 400)):
            self.assertEqual(self.get(path, Host=host)[0], status, (path, host))

    def test_one_connection_serves_many_requests(self):
        connection = http.client.HTTPConnection(self.services.address, timeout=10)
        self.addCleanup(connection.close)
        sockets = set()
        for _ in range(3):
            connection.request("GET", ACCESS, headers=self.bearer())
            sockets.add(connection.sock.getsockname())
            connection.getresponse().read()
        self.assertEqual(len(sockets), 1)

    def test_it_can_fall_silent(self):
        self.services.reset({"GET " + ACCESS: ("hang", "")})
        connection = http.client.HTTPConnection(self.services.address, timeout=0.2)
        self.addCleanup(connection.close)
        connection.request("GET", ACCESS)
        with self.assertRaises(TimeoutError):
            connection.getresponse()


class Vectors(FakeCase):
    """What Google's library signed at a certain time with a certain key."""

    def setUp(self):
        super().setUp()
        if VECTORS is None:
            self.skipTest("not found in ../shared/vectors; set QARION_VECTORS")
        self.golden = json.loads((VECTORS / "gcp_golden.json").read_text())
        file = self.golden["service_account_info_without_key"]
        key = serialization.load_pem_private_key((VECTORS / self.golden["private_key_file"]).read_bytes(), None)
        account = self.identity.new_account(file["client_email"])
        account.public_keys = {file["private_key_id"]: key.public_key()}
        self.allow(account.principal)
        self.services.offset = self.golden["epoch"] - self.services.now() + 1

    def test_what_service_accounts_sign(self):
        exchange, = self.golden["sa_exchange"]
        self.assert_accepted(self.ask("POST", "/token", exchange["body"], exchange["headers"]))
        for name in ("sa_self_signed_audience_jwt", "sa_self_signed_scope_jwt"):
            token = self.golden[name]
            self.assert_accepted(self.ask("GET", ACCESS, headers={"Authorization": "Bearer " + token}))
            other = token[:-5] + ("A" if token[-5] != "A" else "B") + token[-4:]
            self.assert_refused(self.ask("GET", ACCESS, headers={"Authorization": "Bearer " + other}), 401,
                                "ACCESS_TOKEN_TYPE_UNSUPPORTED")

    def test_forms(self):
        self.identity.new_login("user:fake", client_id="cid.apps", client_secret="s e&c", refresh_token="1//rt+/=")
        tokens = {"eyJ.a+b/c=.sig": "fake-subject"}
        for pool, more in (("projects/1234/locations/global/workloadIdentityPools", {"clients": {"c:id": "s/ec"}}),
                           ("locations/global/workforcePools", {"user_project": "wfproj"})):
            self.identity.new_provider(f"//iam.googleapis.com/{pool}/pool/providers/prov", tokens=tokens, **more)
        for name, path in (("authorized_user", "/token"), ("external_account", "/v1/token"),
                           ("external_account_workforce", "/v1/token")):
            with self.subTest(name):
                request, = self.golden[name]
                self.assert_accepted(self.ask("POST", path, request["body"], request["headers"]))

    def test_what_is_signed_for_aws(self):
        secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"  # as AWS's own test suite has it
        audience = "//iam.googleapis.com/projects/1234/locations/global/workloadIdentityPools/pool/providers/prov"
        for name, token in (("aws_subject_token", "AQoDYXdzEJr//+tok=="), ("aws_subject_token_no_session", None)):
            self.identity.new_provider(audience, aws_keys={"AKIDEXAMPLE": Key(secret, ARN, token)})
            form = urllib.parse.parse_qsl(self.golden["external_account"][0]["body"])
            form = {**dict(form), "subject_token": self.golden[name], "subject_token_type": AWS_TYPE}
            self.assert_accepted(self.post("/v1/token", form))

    def test_checksums(self):
        data = {"empty": b"", "32 zero bytes": bytes(32), "32 x ff": b"\xff" * 32, "0..31": bytes(range(32))}
        for name, checksum in self.golden["crc32c"].items():
            self.assertEqual(secret_manager.crc32c(data.get(name, name.encode())), checksum)


class Program(unittest.TestCase):
    def test_serves_until_its_input_ends(self):
        program = pathlib.Path(services.__file__)
        with subprocess.Popen([sys.executable, program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                              env={"PATH": os.environ["PATH"]}) as process:
            port = int(process.stdout.readline())
            file = json.loads(process.stdout.readline())
            self.assertEqual(file["token_uri"], f"http://127.0.0.1:{port}/token")
            key = serialization.load_pem_private_key(file["private_key"].encode(), None)
            account = type("Account", (), {"key": key})
            now = int(services.time.time())
            token = signed(account, {"alg": "RS256", "kid": file["private_key_id"]}, {
                "iss": file["client_email"], "sub": file["client_email"], "scope": CLOUD, "iat": now,
                "exp": now + 600})
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("GET", ACCESS.replace("app-db", "qarion"), headers={"Authorization": "Bearer " + token})
            answer = json.loads(connection.getresponse().read())
            connection.close()
            self.assertIn(b"SECRET_KEY", base64.b64decode(answer["payload"]["data"]))
            process.stdin.close()
            self.assertEqual(process.wait(10), 0)


if __name__ == "__main__":
    unittest.main()
