#!/usr/bin/env python3
"""guide_test.py QSECRETS READER SOURCE_DIRECTORY: docs/guide/aws.md lists what the code reads, and what it shows works
as it stands there."""
import configparser
import json
import os
import pathlib
import re
import subprocess
import sys
import unittest

import yaml

SOURCE = pathlib.Path(sys.argv.pop())

from servers import ACCOUNT, REGION  # noqa: E402: take the other arguments
from support import FIELDS, QSECRETS, AwsCase  # noqa: E402

GUIDE = (SOURCE / "docs/guide/aws.md").read_text()
AWS = SOURCE / "src/aws"
CODE = {path: path.read_text() for directory in (AWS, SOURCE / "src/providers/aws_sm")
        for path in sorted(directory.glob("*.cc")) if not path.name.endswith("_test.cc")}
ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:qarion-AbCdEf"
IN_A_LIBRARY = {"HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"}  # libcurl reads them


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)


class Settings(unittest.TestCase):
    maxDiff = None

    def test_the_guide_lists_what_the_code_reads(self):
        listed = set(re.findall(r"`([A-Z]+(?:_[A-Z0-9]+)+)(?![A-Z0-9_*])", GUIDE))
        names = re.search(r"kNames = \{(.*?)\};", CODE[AWS / "variables.cc"], re.DOTALL).group(1)
        read = set(re.findall(r'"(\w+)"', names)) - {"HOME"} | {"QARION_SECRETS_LOG"}
        read |= set(re.findall(r'"(AWS_\w+)"', CODE[SOURCE / "src/providers/aws_sm/aws_sm_settings.cc"]))
        self.assertIn("`AWS_DEFAULTS_MODE` is not read", GUIDE)
        common = {"SECRETS_BACKEND", "SECRETS_MAX_STALE", "AWS_DEFAULTS_MODE"}
        self.assertEqual(sorted(listed - common), sorted(read | IN_A_LIBRARY))

    def test_the_code_reads_what_it_lists(self):
        names = re.search(r"kNames = \{(.*?)\};", CODE[AWS / "variables.cc"], re.DOTALL).group(1)
        for name in re.findall(r'"(\w+)"', names):
            self.assertTrue([path for path, text in CODE.items() if f'"{name}"' in text.replace(names, "")], name)

    def test_the_guide_lists_the_profile_s_keys(self):
        settings = CODE[AWS / "client_settings.cc"]
        keys = set(re.findall(r'reader\s*\.Find\(\s*"\w+",\s*"(\w+)"\)', settings))
        keys |= set(re.findall(r'reader\s*\.Key\("(\w+)"\)', settings)) | set(re.findall(r'= Key\("(\w+)"\)', settings))
        self.assertGreater(len(keys), 15)
        self.assertEqual(sorted(key for key in keys if f"`{key}`" not in GUIDE), [])

    def test_the_code_reads_the_keys_that_the_guide_lists(self):
        everything = "".join(CODE.values())
        listed = set(re.findall(r"`([a-z0-9]+_[a-z0-9_]+)`", GUIDE)) - {"aws_sm", "http_proxy"}
        self.assertGreater(len(listed), 25)
        self.assertEqual(sorted(key for key in listed if f'"{key}"' not in everything), [])


class Examples(AwsCase):
    """Each with the name of a secret that is there, and a user's keys in place of a machine's role."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.arn = cls.secret["ARN"]

    def real(self, text):
        return text.replace(ARN, self.arn).replace("eu-central-1", REGION).replace("123456789012", ACCOUNT)

    def assert_enough(self, settings):
        settings = {name: self.real(value) for name, value in settings.items()}
        self.assertEqual(settings["SECRETS_BACKEND"], "aws_sm")
        self.assert_gets(**{"AWS_SECRET_ARN": None, **settings})

    def test_the_first_one_is_enough(self):
        first = blocks("sh")[0]
        self.assertEqual(first.strip(), f"SECRETS_BACKEND=aws_sm AWS_SECRET_ARN={ARN} qsecrets check")
        environment = self.environment(SECRETS_BACKEND=None, AWS_SECRET_ARN=None, AWS_REGION=None)
        environment["PATH"] = os.path.dirname(QSECRETS) + ":" + environment["PATH"]
        result = subprocess.run(["sh", "-c", self.real(first)], env=environment, cwd=self.directory, check=False,
                                capture_output=True, text=True, timeout=90)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_the_secret_is_as_shown(self):
        value = re.search(r"--secret-string '(.*)'", GUIDE).group(1)
        self.assertEqual(json.loads(value).keys(), FIELDS.keys())
        name, _ = self.make_secret(value)
        result = self.run_command("get", "SECRET_KEY", AWS_SECRET_ARN=name)
        self.assertEqual(result.stdout, "...", result.stderr)

    def test_ec2(self):
        unit = configparser.ConfigParser()
        unit.optionxform = str
        unit.read_string(*blocks("ini"))
        self.assert_enough(dict(word.split("=", 1) for word in unit["Service"]["Environment"].split()))
        self.assertIn("qsecrets exec -- ", unit["Service"]["ExecStart"])

    def test_ecs(self):
        container = json.loads(blocks("json")[0])
        self.assert_enough({entry["name"]: entry["value"] for entry in container["environment"]})

    def test_eks_and_github_actions(self):
        pod, workflow = (yaml.safe_load(text) for text in blocks("yaml"))
        self.assertEqual(pod["serviceAccountName"], "app")
        self.assert_enough({entry["name"]: entry["value"] for entry in pod["containers"][0]["env"]})
        self.assert_enough(workflow["steps"][1]["env"])
        self.assertIn("qsecrets exec -- ", workflow["steps"][1]["run"])

    def test_the_policy_allows_what_is_needed_and_no_more(self):
        user = self.server.make_user("of-the-guide", self.real(blocks("json")[1]))
        self.assert_gets(**user)
        self.assertEqual(self.findings(**user), (0, []))
        name, _ = self.make_secret(FIELDS)
        self.assert_fails(77, "secretsmanager:GetSecretValue", AWS_SECRET_ARN=name, **user)


if __name__ == "__main__":
    unittest.main()
