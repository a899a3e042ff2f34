#!/usr/bin/env python3
"""vectors_test.py CREDENTIALS_DUMP: the cases of the AWS SDK for Rust (aws_credentials/*/* of the vectors): each is a
home directory, an environment, recorded traffic and what comes of it. boto3 looks in the same sandbox: what it finds
is what we must find, and where that is not the case's result, DIFFERENCES has the reason.

No packet leaves a network that this process has for itself. Answers were recorded years ago, and what they hand out
has ended: all ends are moved by SHIFT.
"""
import base64
import dataclasses
import datetime
import json
import os
import pathlib
import re
import shutil
import sys
import tempfile
import unittest

import private_network
from issuers import Authority
from lookers import Boto3, Ourselves
from replay import Replay, recorded

OURSELVES = Ourselves(os.path.abspath(sys.argv.pop(1)))
SHIFT = datetime.timedelta(days=20 * 365)
SETS = {"default-credential-provider-chain": 16, "profile-provider": 12}  # so many cases, or more

# Of a case that ends with an error: what our refusal says, or the list of what was tried, for the same cause.
CAUSES = {
    "eks_pod_identity_no_token_file": ["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/token.jwt", "No such file"],
    "imds_disabled": ["AWS_EC2_METADATA_DISABLED is true"],
    "imds_token_fail": ["Ec2InstanceMetadata", "answers 403"],
    "invalid_sso_credentials_config": ["sso_account_id"],
    "sso_no_token_file": ["/sso/cache/dace00cba5f8355ec9d274ceb2bcebdfbeed0e12.json", "No such file"],
    "sso_server_error": ["GetRoleCredentials", "answered 503"],
    "web_identity_source_profile_no_env": ["web_identity_token_file", "role_arn in profile B"],
    "web_identity_token_invalid_jwt": ["InvalidIdentityToken", "No OpenIDConnect provider found in your account"],
}


@dataclasses.dataclass
class Difference:
    """Why boto3 does not come to the case's result, and with what changes it does."""
    reason: str
    environment: dict = dataclasses.field(default_factory=dict)  # None: not set
    command: str = r"\g<0>"  # a credential_process


NO_SHELL = Difference("boto3 starts a credential_process without a shell", command=r'sh -c "\g<0>"')
DIFFERENCES = {
    "credential_process": NO_SHELL,
    "credential_process_account_id_fallback": NO_SHELL,
    "e2e_assume_role": Difference("the case is of profiles alone; keys of the environment go before them",
                                  {"AWS_ACCESS_KEY_ID": None}),
    "imds_default_chain_retries": Difference("boto3 asks an instance once, unless it is told otherwise",
                                             {"AWS_METADATA_SERVICE_NUM_ATTEMPTS": "2"}),
}
AS_IT_IS = Difference("")

# Where boto3's requests, and ours, are not the recorded ones.
OTHER_REQUESTS = {
    "ecs_assume_role": "it was recorded with other keys than the container hands out",
    "imds_token_fail": "boto3 then asks without a token",
    "invalid_sso_credentials_config": "the case is of profiles alone; the chain goes on to the instance",
    "sso_server_error": "it was recorded without further attempts",
    "web_identity_token_source_profile": "it was recorded with another role and token than the files name",
}


def find_vectors():
    places = [os.environ["QARION_VECTORS"]] if "QARION_VECTORS" in os.environ else [
        "../shared/vectors", pathlib.Path(__file__).parents[3] / "../shared/vectors"]
    return next((pathlib.Path(place, "aws_credentials") for place in places
                 if pathlib.Path(place, "aws_credentials").is_dir()), None)


def shifted(text):
    """With all ends of credentials moved, also those that a command prints from base64."""
    def moved(found):
        return found[1] + (datetime.datetime.fromisoformat(found[2]) + SHIFT).isoformat()

    def moved_ms(found):
        return found[1] + str(int(found[2]) + int(SHIFT.total_seconds() * 1000))

    def recoded(found):
        return base64.b64encode(shifted(base64.b64decode(found[0]).decode()).encode()).decode()

    text = re.sub(r"(Expiration\"?\s*[:>]\s*\"?)(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)", moved, text)
    text = re.sub(r"(\"expiration\":\s*)(\d{13})", moved_ms, text)
    return re.sub(r"(?<=echo )[A-Za-z0-9+/]{40,}=*", recoded, text)


class Case:
    def __init__(self, directory):
        self.name = directory.name
        self.directory = directory
        self.environment = json.loads((directory / "env.json").read_text())
        self.exchanges = recorded(directory / "http-traffic.json")
        for exchange in self.exchanges:
            exchange.answer = (exchange.answer[0], shifted(exchange.answer[1]))
        self.result = json.loads((directory / "test-case.json").read_text())["result"]

    def hosts(self):
        return [exchange.origin.removeprefix("https://") for exchange in self.exchanges
                if exchange.origin.startswith("https://")]

    def lay_out(self, root, difference):
        """The sandbox: absolute paths of the case are below `root`. Returns the environment."""
        shutil.rmtree(root, ignore_errors=True)
        os.makedirs(root / "home")
        files = self.directory / "fs"
        for path in files.rglob("*"):
            if path.is_file():
                text = re.sub(r"(?<=_file = )(?=/)", str(root), shifted(path.read_text()))
                text = re.sub(r"(?<=^credential_process = ).*", difference.command, text, flags=re.MULTILINE)
                copy = root / path.relative_to(files)
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.touch(mode=0o600)
                copy.write_text(text)
        environment = {name: str(root) + value if name == "HOME" or name.endswith("_FILE") else value
                       for name, value in self.environment.items()}
        if "AWS_REGION" in environment:
            environment["AWS_DEFAULT_REGION"] = environment["AWS_REGION"]  # the one that boto3 reads
        environment = {"PATH": os.environ["PATH"], **environment, **difference.environment}
        return {name: value for name, value in environment.items() if value is not None}

    def expected(self):
        wanted = self.result.get("Ok")
        if wanted is None:
            return None
        end = wanted.get("expiry")
        return {"access_key_id": wanted["access_key_id"], "secret_access_key": wanted["secret_access_key"],
                "session_token": wanted.get("session_token", ""), "account_id": wanted.get("account_id", ""),
                "expires_at": end and end + int(SHIFT.total_seconds())}


def essence(exchange):
    """What of a request is the same whichever program sends it."""
    form = {name: value for name, value in exchange.form.items() if name != "RoleSessionName"}
    if "WebIdentityToken" in form:  # of a file, whose last newline boto3 sends too
        form["WebIdentityToken"] = form["WebIdentityToken"].strip()
    told = {name: exchange.headers[name] for name in (
        "x-aws-ec2-metadata-token", "x-aws-ec2-metadata-token-ttl-seconds", "x-amz-sso_bearer_token",
        "x-amz-security-token", "authorization") if name in exchange.headers}
    signed = re.search(r"Credential=([^/]+)/\d+/([^,]+),", told.pop("authorization", ""))
    return {"place": exchange.place(), "query": exchange.query, "form": form, "headers": told,
            "signer": signed and signed.groups()}


class Vectors(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        vectors = find_vectors()
        if vectors is None:
            raise unittest.SkipTest("not found in ../shared/vectors; set QARION_VECTORS")
        cls.cases = [Case(path) for name in SETS for path in sorted((vectors / name).iterdir())]
        private_network.enter()
        cls.root = pathlib.Path(tempfile.mkdtemp(prefix="qarion-vectors-"))
        cls.addClassCleanup(shutil.rmtree, cls.root)
        authority = Authority(cls.root, "authority")
        hosts = {host for case in cls.cases for host in case.hosts()}
        pair = authority.issue("replay", ",".join("DNS:" + host for host in sorted(hosts)))
        cls.replay = Replay([("127.0.0.1", 0)] + [(address, 80) for address in (
            private_network.INSTANCE, private_network.CONTAINER, private_network.POD)], *pair)
        cls.addClassCleanup(cls.replay.close)
        cls.network = {"HTTPS_PROXY": cls.replay.proxy, "http_proxy": cls.replay.proxy, "NO_PROXY": "169.254.169.254",
                       "AWS_CA_BUNDLE": authority.path("authority.pem")}
        cls.boto3 = Boto3()
        cls.addClassCleanup(cls.boto3.close)

    def look(self, looker, case, difference):
        root = self.root / "sandbox"
        environment = {**case.lay_out(root, difference), **self.network}
        self.replay.play(case.exchanges)
        found = looker.look(str(root), environment)
        credentials = {**(found.get("credentials") or {})}
        credentials.pop("origin", None)
        return {"credentials": credentials or None, "requests": [essence(one) for one in self.replay.seen],
                "refusal": found.get("refusal"), "text": json.dumps(found)}

    def look_as_boto3_does(self, case, difference=AS_IT_IS):
        theirs = self.look(self.boto3, case, difference)
        ours = self.look(OURSELVES, case, difference)
        self.assertEqual(ours["credentials"], theirs["credentials"], theirs["text"] + ours["text"])
        self.assertEqual(ours["requests"], theirs["requests"])
        self.assertEqual(ours["credentials"] is None, ours["refusal"] is not None)
        return ours

    def assert_is_the_result(self, case, found):
        self.assertEqual(found["credentials"], case.expected(), found["text"])
        as_recorded = self.assertNotEqual if case.name in OTHER_REQUESTS else self.assertEqual
        as_recorded(found["requests"], [essence(one) for one in case.exchanges])

    def test_all(self):
        for name, count in SETS.items():
            self.assertGreaterEqual(sum(case.directory.parent.name == name for case in self.cases), count)
        for case in self.cases:
            with self.subTest(case.name):
                found = self.look_as_boto3_does(case)
                if case.name in DIFFERENCES:
                    self.assertNotEqual(found["credentials"], case.expected())
                else:
                    self.assert_is_the_result(case, found)

    def test_those_that_differ_with_what_makes_the_difference(self):
        cases = {case.name: case for case in self.cases}
        for name, difference in DIFFERENCES.items():
            with self.subTest(name, reason=difference.reason):
                self.assert_is_the_result(cases[name], self.look_as_boto3_does(cases[name], difference))

    def test_errors_name_the_cause(self):
        self.assertEqual(set(CAUSES), {case.name for case in self.cases if case.expected() is None})
        for case in self.cases:
            for cause in CAUSES.get(case.name, []):
                with self.subTest(case.name, cause=cause):
                    self.assertIn(cause, self.look(OURSELVES, case, AS_IT_IS)["text"])


if __name__ == "__main__":
    unittest.main()
