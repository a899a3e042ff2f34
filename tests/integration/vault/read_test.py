#!/usr/bin/env python3
"""Reading the secret: where it is, every answer of the KV engine, namespaces, quotas, a sealed server."""
import json
import os
import pathlib
import re
import tempfile
import time
import unittest

import bao
from ports import free_port
from support import FIELDS, Audited, VaultCase, wait_for


class Paths(VaultCase):
    def test_four_settings_are_enough(self):
        self.assert_gets(VAULT_TOKEN="root", VAULT_SECRET_PATH="secret/data/qarion")

    def test_the_path_has_a_default(self):
        self.assert_gets(VAULT_TOKEN="root")

    def test_the_path_may_lack_data(self):
        self.assert_gets(VAULT_TOKEN="root", VAULT_SECRET_PATH="secret/qarion")

    def test_slashes_too_many_do_no_harm(self):
        self.assert_gets(VAULT_TOKEN="root", VAULT_SECRET_PATH="/secret//data/qarion/")

    def test_a_mount_may_have_several_parts(self):
        self.server.must("POST", "sys/mounts/team/data/kv", {"type": "kv", "options": {"version": "2"}})
        self.server.put({"SECRET_KEY": "fake-of-the-team"}, name="app/db", mount="team/data/kv")
        for path in ("team/data/kv/data/app/db", "team/data/kv/app/db"):
            result = self.run_command("get", "SECRET_KEY", VAULT_TOKEN="root", VAULT_SECRET_PATH=path)
            self.assertEqual(result.stdout, "fake-of-the-team", result.stderr)

    def test_a_name_may_have_any_character(self):
        for name in ("caf\u00e9 +%?#.x", "a.b."):
            self.server.must("POST", "secret/data/" + bao.urllib.request.quote(name),
                             {"data": {"SECRET_KEY": "fake-odd"}})
            result = self.run_command("get", "SECRET_KEY", VAULT_TOKEN="root",
                                      VAULT_SECRET_PATH="secret/data/" + name)
            self.assertEqual(result.stdout, "fake-odd", result.stderr)

    def test_without_leave_to_ask_for_the_mount_it_is_the_first_part(self):
        self.server.must("PUT", "sys/policies/acl/only", {
            "policy": 'path "secret/data/qarion" { capabilities = ["read"] }\n'
                      'path "sys/internal/ui/mounts/*" { capabilities = ["deny"] }'})
        token = self.server.must("POST", "auth/token/create", {"policies": ["only"]})
        self.assert_gets(VAULT_TOKEN=token["auth"]["client_token"], VAULT_SECRET_PATH="secret/qarion")

    def test_data_may_be_a_part_of_the_name(self):
        """The path looks as if the mount were secret/app, and the token may not read there."""
        self.server.put(FIELDS, name="app/data/x")
        self.server.must("PUT", "sys/policies/acl/odd", {
            "policy": 'path "secret/data/app/data/x" { capabilities = ["read"] }'})
        token = self.server.must("POST", "auth/token/create", {"policies": ["odd"]})["auth"]["client_token"]
        self.assert_gets(VAULT_TOKEN=token, VAULT_SECRET_PATH="secret/app/data/x")

    def test_what_is_no_path_is_refused(self):
        for path in ("secret", "v1/secret/data/qarion", "secret/../data/x", "a\nb"):
            self.assert_fails(78, "VAULT_SECRET_PATH", VAULT_TOKEN="root", VAULT_SECRET_PATH=path)

    def test_version_1_is_told_apart(self):
        self.server.must("POST", "sys/mounts/kv1", {"type": "kv", "options": {"version": "1"}})
        self.server.must("POST", "kv1/qarion", FIELDS)
        self.server.must("POST", "kv1/data/qarion", {"data": FIELDS})
        for path in ("kv1/qarion", "kv1/data/qarion"):
            self.assert_fails(78, "kv1/ is a KV engine of version 1", "enable-versioning",
                              VAULT_TOKEN="root", VAULT_SECRET_PATH=path)

    def test_another_engine_is_told_apart(self):
        self.assert_fails(78, "cubbyhole/ is not a KV engine", VAULT_TOKEN="root",
                          VAULT_SECRET_PATH="cubbyhole/qarion")

    def test_a_mount_that_is_not_there(self):
        self.assert_fails(78, "nowhere/data/qarion", "no handler for route", VAULT_TOKEN="root",
                          VAULT_SECRET_PATH="nowhere/data/qarion")


class Versions(VaultCase):
    def setUp(self):
        super().setUp()
        self.name = "v" + os.urandom(6).hex()
        self.path = "secret/data/" + self.name
        for number in (1, 2, 3):
            self.server.put({"SECRET_KEY": f"fake-version-{number}"}, name=self.name)

    def get(self, **settings):
        return self.run_command("get", "SECRET_KEY", VAULT_TOKEN="root", VAULT_SECRET_PATH=self.path,
                                **settings)

    def fails(self, *words, **settings):
        return self.assert_fails(78, self.path, *words, VAULT_TOKEN="root",
                                 VAULT_SECRET_PATH=self.path, **settings)

    def test_the_latest_or_the_one_that_is_named(self):
        self.assertEqual(self.get().stdout, "fake-version-3")
        self.assertEqual(self.get(VAULT_SECRET_VERSION="0").stdout, "fake-version-3")
        self.assertEqual(self.get(VAULT_SECRET_VERSION="1").stdout, "fake-version-1")

    def test_what_is_no_version_is_refused(self):
        for text in ("-1", "latest", "1.5", "99999999999999999999"):
            self.assert_fails(78, "VAULT_SECRET_VERSION", VAULT_TOKEN="root", VAULT_SECRET_VERSION=text)

    def test_a_version_that_never_was(self):
        self.fails("has no version 99", VAULT_SECRET_VERSION="99")

    def test_a_secret_that_never_was(self):
        self.assert_fails(78, "secret/data/nothing does not exist", "bao kv put -mount=secret nothing",
                          VAULT_TOKEN="root", VAULT_SECRET_PATH="secret/data/nothing")

    def test_a_deleted_version_and_how_to_bring_it_back(self):
        self.server.must("DELETE", self.path)
        self.fails("version 3 was deleted at 20", f"bao kv undelete -mount=secret -versions=3 {self.name}")
        self.server.must("POST", f"secret/undelete/{self.name}", {"versions": [3]})
        self.assertEqual(self.get().stdout, "fake-version-3")

    def test_a_destroyed_version(self):
        self.server.must("POST", f"secret/destroy/{self.name}", {"versions": [3]})
        self.fails("version 3 was destroyed")
        self.assertEqual(self.get(VAULT_SECRET_VERSION="2").stdout, "fake-version-2")

    def test_status_shows_number_and_time(self):
        result = self.run_command("status", "--output", "json", VAULT_TOKEN="root",
                                  VAULT_SECRET_PATH=self.path)
        status = json.loads(result.stdout)
        self.assertEqual(status["version"], "3")
        made = self.server.must("GET", self.path)["data"]["metadata"]["created_time"]
        self.assertEqual(status["created_at"], made[:19] + "Z")

    def test_a_version_that_was_pruned(self):
        reader = self.reader(10, VAULT_TOKEN="root", VAULT_SECRET_PATH=self.path, VAULT_SECRET_VERSION="1",
                             SECRETS_CACHE_TTL="1")
        reader.expect(event="value", value="fake-version-1")
        self.server.must("POST", f"secret/metadata/{self.name}", {"max_versions": 2})
        self.server.put({"SECRET_KEY": "fake-version-4"}, name=self.name)
        self.assertIn("has no version 1", reader.expect(event="failure", seconds=4)["error"])
        self.fails("has no version 1", "bao kv metadata get", VAULT_SECRET_VERSION="1")
        self.assertEqual(self.get(VAULT_SECRET_VERSION="3").stdout, "fake-version-3")

    def test_a_version_whose_time_is_over(self):
        """It is served until then, and not for another TTL, whenever the last refresh was."""
        self.server.must("POST", f"secret/metadata/{self.name}", {"delete_version_after": "3s"})
        time.sleep((0.8 - time.time()) % 1)  # so that its last second has a large part of a second more
        self.server.put({"SECRET_KEY": "fake-passing"}, name=self.name)
        end = time.monotonic() + 3
        reader = self.reader(10, VAULT_TOKEN="root", VAULT_SECRET_PATH=self.path, SECRETS_CACHE_TTL="3600",
                             SECRETS_MAX_STALE="3600")
        reader.expect(event="value", value="fake-passing")
        time.sleep(end - 0.4 - time.monotonic())
        reader.tell("refresh")
        failure = reader.expect(event="failure", seconds=4)
        self.assertTrue(-1.1 < failure["at"] - end < 1, failure["at"] - end)
        time.sleep(max(0, end - time.monotonic()))
        self.fails("version 4 was deleted at 20")
        self.server.put({"SECRET_KEY": "fake-after"}, name=self.name)
        reader.expect(event="value", value="fake-after", seconds=15)

    def test_a_coming_deletion_shortens_freshness(self):
        self.server.must("POST", f"secret/metadata/{self.name}", {"delete_version_after": "20s"})
        self.server.put({"SECRET_KEY": "fake-short"}, name=self.name)
        result = self.run_command("status", "--output", "json", VAULT_TOKEN="root",
                                  VAULT_SECRET_PATH=self.path, SECRETS_CACHE_TTL="86400")
        self.assertLess(json.loads(result.stdout)["next_refresh_in_ms"], 21_000)


class Values(VaultCase):
    def put_and_list(self, fields):
        name = "x" + os.urandom(6).hex()
        self.server.put(fields, name=name)
        return self.run_command("list", "--reveal", "--output", "json", VAULT_TOKEN="root",
                                SECRETS_FIELDS="*", VAULT_SECRET_PATH=f"secret/data/{name}")

    def values(self, fields):
        result = self.put_and_list(fields)
        self.assertEqual(result.returncode, 0, result.stderr)
        return {name: value for name, value in json.loads(result.stdout).items() if name in fields}

    def test_text_of_every_kind(self):
        fields = {"A": "\u00e9\u20ac\U0001f600 <>&\u2028\u0001\"\\/", "B": "", "C": "line\nline\n",
                  "D": "x" * 100 * 1024}
        self.assertEqual(self.values(fields), fields)

    def test_an_answer_that_is_six_times_its_value(self):
        """The server writes `<` as \\u003c. At most a megabyte of JSON is read, and more is said to be too much."""
        self.assertEqual(self.values({"A": "<" * 150_000}), {"A": "<" * 150_000})
        result = self.put_and_list({"A": "<" * 2**20})
        self.assertEqual((result.returncode, result.stdout), (65, ""), result.stderr)
        self.assertRegex(result.stderr, "secret/data/x[0-9a-f]+ version 1: .* 6291\\d{3} bytes; at most 1048576")
        self.assertNotIn("<<", result.stderr)
        self.assertNotIn("u003c", result.stderr)

    def test_other_values_as_their_json(self):
        self.assertEqual(
            self.values({"T": True, "N": 12, "F": 1.5, "O": {"b": [1, "x"], "a": None}, "Z": None}),
            {"T": "true", "N": "12", "F": "1.5", "O": '{"a":null,"b":[1,"x"]}'})

    def test_check_warns_of_numbers(self):
        self.server.put({**FIELDS, "LLM_API_KEY_N": 9007199254740993})
        result = self.run_command("check", VAULT_TOKEN="root")
        self.assertIn("LLM_API_KEY_N: is stored as a number", result.stdout)
        self.assertNotIn("900719925474099", result.stdout)

    def test_what_is_no_object_of_fields(self):
        for data in ({"data": None}, {"data": {"a/b": "fake"}}):
            name = "y" + os.urandom(6).hex()
            self.server.must("POST", f"secret/data/{name}", data)
            self.assert_fails(65, f"secret/data/{name}", VAULT_TOKEN="root",
                              VAULT_SECRET_PATH=f"secret/data/{name}")

    def test_an_empty_object_has_nothing_set(self):
        self.server.put({}, name="empty")
        self.assert_fails(78, "SECRET_KEY is not set", VAULT_TOKEN="root",
                          VAULT_SECRET_PATH="secret/data/empty")


class Places(VaultCase):
    def test_bao_names_win_even_where_they_are_empty(self):
        self.assert_gets(BAO_TOKEN="root", VAULT_TOKEN="fake-wrong")
        self.assert_gets(BAO_ADDR=self.server.address, VAULT_ADDR="http://127.0.0.1:1", VAULT_TOKEN="root")
        self.assert_fails(78, "VAULT_TOKEN is not set", BAO_TOKEN="", VAULT_TOKEN="root")

    def test_an_agent_takes_the_place_of_the_server(self):
        self.assert_gets(VAULT_AGENT_ADDR=self.server.address, VAULT_ADDR="http://127.0.0.1:1",
                         VAULT_TOKEN="root")

    def test_settings_may_stand_in_env_file(self):
        self.write(".env", f"SECRETS_BACKEND=vault\nVAULT_ADDR={self.server.address}\nVAULT_TOKEN=root\n")
        self.assert_gets(SECRETS_BACKEND=None, VAULT_ADDR=None)

    def test_the_second_address_serves_where_the_first_does_not(self):
        dead = f"http://127.0.0.1:{free_port()}"
        self.assert_gets(VAULT_ADDR=f"{dead}, {self.server.address}", VAULT_TOKEN="root")

    def test_what_is_no_address_is_refused_and_not_repeated(self):
        for text in ("vault:8200", "ftp://x", "https://u:hunter2@x", "http://x,", "unix://relative",
                     "http://x?y", "https://a,https://a"):
            result = self.assert_fails(78, "VAULT_ADDR", VAULT_ADDR=text, VAULT_TOKEN="root")
            self.assertNotIn("hunter2", result.stderr)

    def test_a_unix_socket(self):
        with tempfile.TemporaryDirectory() as directory:
            config = pathlib.Path(directory, "c.hcl")
            config.write_text(f'listener "unix" {{\n address = "{directory}/bao.sock"\n}}\n')
            server = bao.dev_server(config=config)
            self.addCleanup(server.close)
            server.put(FIELDS)
            self.assert_gets(VAULT_ADDR=f"unix://{directory}/bao.sock", VAULT_TOKEN="root")

    def test_namespaces(self):
        self.server.must("POST", "sys/namespaces/team1", {})
        inside = {"X-Vault-Namespace": "team1"}
        self.server.must("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}},
                         headers=inside)
        self.server.must("POST", "secret/data/qarion", {"data": {"SECRET_KEY": "fake-of-team1"}},
                         headers=inside)
        for name in ("team1", "team1/", "/team1/"):
            result = self.run_command("get", "SECRET_KEY", VAULT_TOKEN="root", VAULT_NAMESPACE=name)
            self.assertEqual(result.stdout, "fake-of-team1", result.stderr)
        self.assert_fails(78, "namespace not found", VAULT_TOKEN="root", VAULT_NAMESPACE="nobody")

    def test_further_headers(self):
        self.assert_gets(VAULT_TOKEN="root", VAULT_HEADERS='{"X-Gateway": "fake"}')
        for text in ('{"X-Vault-Token": "fake-hunter2"}', "[]", '{"X": 1}', '{"X y": "z"}',
                     '{"X": "a\\r\\nX-Vault-Token: fake-hunter2"}', "fake-hunter2"):
            result = self.assert_fails(78, "VAULT_HEADERS", VAULT_TOKEN="root", VAULT_HEADERS=text)
            self.assertNotIn("hunter2", result.stderr)

    def test_settings_of_the_official_client_are_read_as_strictly(self):
        for setting, text in (("VAULT_SKIP_VERIFY", "yes"), ("VAULT_CLIENT_TIMEOUT", "soon"),
                              ("VAULT_MAX_RETRIES", "-1"), ("VAULT_RATE_LIMIT", "fast"),
                              ("VAULT_DISABLE_REDIRECTS", "2"), ("VAULT_CLIENT_CERT", "/x"),
                              ("VAULT_PROXY_ADDR", "not a url"), ("VAULT_TLS_SERVER_NAME", "a b"),
                              ("VAULT_AUTH_MOUNT", "../sys"), ("VAULT_NAMESPACE", "a\r\nX: y"),
                              ("QARION_SECRETS_LOG", "loud"),
                              ("VAULT_TOKEN", "fake\u00e9")):
            self.assert_fails(65 if setting == "VAULT_TOKEN" else 78, setting,
                              **{"VAULT_TOKEN": "root", setting: text})


class Limits(Audited, VaultCase):
    def test_a_quota_is_waited_for(self):
        self.server.must("POST", "sys/quotas/rate-limit/app",
                         {"path": "secret/", "rate": 1, "interval": "1s"})
        self.addCleanup(self.server.must, "DELETE", "sys/quotas/rate-limit/app")
        for _ in range(3):
            self.assert_gets(VAULT_TOKEN="root")

    def test_a_quota_for_long_is_said(self):
        reader = self.reader(10, VAULT_TOKEN="root", SECRETS_CACHE_TTL="0")
        reader.expect(event="value")
        self.server.must("POST", "sys/quotas/rate-limit/app",
                         {"path": "secret/", "rate": 1, "interval": "100s"})
        self.addCleanup(self.server.must, "DELETE", "sys/quotas/rate-limit/app")
        self.assertIn("429", reader.expect(event="failure")["error"])

    def test_our_own_limit_slows_down(self):
        reader = self.reader(1, VAULT_TOKEN="root", SECRETS_CACHE_TTL="0", VAULT_RATE_LIMIT="10:1")
        before = self.count("read secret/data/qarion")
        time.sleep(2)
        self.assertLess(self.count("read secret/data/qarion") - before, 30)
        self.assertEqual(reader.end()["failures"], 0)

    def test_one_connection_serves_many_reads(self):
        reader = self.reader(5, VAULT_TOKEN="root", SECRETS_CACHE_TTL="0")
        time.sleep(1)
        self.assertEqual(reader.end()["failures"], 0)
        ports = {line.rpartition(" ")[2] for line in self.requests()[-50:]
                 if line.startswith("read secret/data/qarion")}
        self.assertEqual(len(ports), 1)


class Sealed(VaultCase):
    def test_sealed_and_unsealed_again(self):
        wait_for(lambda: "Unseal Key: " in self.server.log_text(), "printing the key")
        key = re.search("Unseal Key: (.*)", self.server.log_text()).group(1)
        reader = self.reader(20, VAULT_TOKEN="root", SECRETS_CACHE_TTL="2")
        reader.expect(event="value", value=FIELDS["SECRET_KEY"])
        self.server.must("PUT", "sys/seal")
        self.assertIn("sealed", reader.ask("refresh")["error"])
        time.sleep(3)
        code, findings = self.findings(VAULT_TOKEN="root")
        self.assertEqual((code, findings[0]["problem"]), (78, "is sealed"))
        self.server.must("PUT", "sys/unseal", {"key": key})
        self.server.wait_until_ready()
        self.assertEqual(reader.ask("refresh")["error"], "")
        self.assertEqual(reader.end()["failures"], 0)


class Uninitialised(VaultCase):
    """A server that was started and never set up."""

    def test_is_told_apart_from_a_sealed_one(self):
        port = free_port(bao.LISTENER_PORTS)
        config = self.directory / "bare.hcl"
        config.write_text(f'storage "inmem" {{}}\ndisable_mlock = true\n'
                          f'listener "tcp" {{\n  address = "127.0.0.1:{port}"\n  tls_disable = true\n}}\n')
        bare = bao.Server([f"-config={config}"], port)
        self.addCleanup(bare.close)
        bare.wait_until_ready((501,))
        code, findings = self.findings(VAULT_ADDR=bare.address, VAULT_TOKEN="root")
        self.assertEqual(code, 78)
        self.assertEqual([(f["severity"], f["subject"], f["problem"], f["cure"]) for f in findings[:1]],
                         [("error", bare.address, "is not initialised", "initialise it: bao operator init")])


if __name__ == "__main__":
    unittest.main()
