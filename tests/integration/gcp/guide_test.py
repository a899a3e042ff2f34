#!/usr/bin/env python3
"""guide_test.py SOURCE_DIRECTORY: docs/guide/gcp.md lists what the code reads, and what it shows is as it should be."""
import configparser
import json
import pathlib
import re
import sys
import unittest

import yaml

SOURCE = pathlib.Path(sys.argv.pop())
GUIDE = (SOURCE / "docs/guide/gcp.md").read_text()
FILES = (SOURCE / "src/gcp/client_settings.cc", SOURCE / "src/providers/gcp_sm/gcp_sm_settings.cc")
IN_A_LIBRARY = {"HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"}  # libcurl reads them
COMMON = {"SECRETS_BACKEND", "SECRETS_MAX_STALE"}


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)


class Guide(unittest.TestCase):
    maxDiff = None

    def test_lists_what_the_code_reads(self):
        listed = set(re.findall(r"`([A-Z]+(?:_[A-Z0-9]+)+)(?![A-Z0-9_*])", GUIDE))
        reasons = {"SERVICE_DISABLED"}
        read = {name for path in FILES for name in re.findall(r'"([A-Z]+(?:_[A-Z0-9]+)+)"', path.read_text())}
        self.assertGreater(len(read), 20)
        self.assertEqual(sorted(listed - COMMON - reasons), sorted(read | IN_A_LIBRARY))

    def test_types_of_files_are_those_that_are_known(self):
        listed = set(re.findall(r"^\| `([a-z_]+)` \|", GUIDE, re.MULTILINE))
        code = (SOURCE / "src/gcp/credential_file.cc").read_text()
        self.assertEqual(listed, set(re.findall(r'type == "([a-z_]+)"', code)) - {"text", "json"})

    def test_examples_select_the_backend_and_the_project(self):
        wanted = {"SECRETS_BACKEND": "gcp_sm", "GCP_SECRET_PROJECT": "my-project"}
        self.assertEqual(blocks("sh")[0].strip(),
                         "SECRETS_BACKEND=gcp_sm GCP_SECRET_PROJECT=my-project qsecrets check")
        unit = configparser.ConfigParser()
        unit.optionxform = str
        unit.read_string(*blocks("ini"))
        self.assertEqual(dict(word.split("=", 1) for word in unit["Service"]["Environment"].split()), wanted)
        pod, workflow = (yaml.safe_load(text) for text in blocks("yaml"))
        self.assertEqual({entry["name"]: entry["value"] for entry in pod["containers"][0]["env"]}, wanted)
        self.assertEqual(workflow["steps"][1]["env"], wanted)
        value = re.search(r"echo '(.*)' \| gcloud secrets create qarion-secrets ", GUIDE).group(1)
        self.assertEqual(json.loads(value).keys(), {"SECRET_KEY", "POSTGRES_PASSWORD"})


if __name__ == "__main__":
    unittest.main()
