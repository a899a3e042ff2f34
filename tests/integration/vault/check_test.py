#!/usr/bin/env python3
"""`qsecrets check` as a doctor, and `status`."""
import http.server
import json
import threading
import unittest

import bao
from ports import free_port
from support import VaultCase, seconds_in


class Check(VaultCase):
    def assert_finds(self, status, severity, subject, *words, **settings):
        code, findings = self.findings(**settings)
        found = [finding for finding in findings if finding["subject"] == subject]
        self.assertTrue(found, findings)
        text = found[0]["problem"] + " " + found[0]["cure"]
        for word in words:
            self.assertIn(word, text)
        self.assertEqual((code, found[0]["severity"]), (status, severity))
        self.assertTrue(found[0]["cure"], found)
        return found[0]

    def test_nothing_to_find(self):
        self.assertEqual(self.findings(**self.approle()), (0, []))

    def test_what_there_is_to_know(self):
        settings = self.approle("known", token_ttl="1h")
        details = json.loads(self.run_command("check", "-o", "json", **settings).stdout)["details"]
        self.assertRegex(details["server " + self.server.address], "^active, version ")
        self.assertEqual(details["token policies"], "app-read, default")
        self.assertIn(seconds_in(details["token expires"]), range(3590, 3601))
        text = self.run_command("check", **settings).stdout
        self.assertIn("token policies   app-read, default\n", text)

    def test_status_tells_where_settings_came_from_and_no_value(self):
        self.write(".env", "VAULT_SECRET_PATH=secret/data/qarion\n")
        shown = self.run_command("status", "-o", "json", VAULT_TOKEN="root", BAO_NAMESPACE="")
        settings = {setting["name"]: setting for setting in json.loads(shown.stdout)["settings"]}
        self.assertEqual(settings["VAULT_TOKEN"],
                         {"name": "VAULT_TOKEN", "value": None, "source": "process environment"})
        self.assertEqual(settings["VAULT_SECRET_PATH"]["source"], ".env:1")
        self.assertEqual(settings["SECRETS_BACKEND"]["value"], "vault")
        self.assertEqual(set(settings) - {"SECRETS_BACKEND", "SECRETS_ENV_FILE"},
                         {"VAULT_TOKEN", "VAULT_SECRET_PATH", "VAULT_ADDR", "BAO_NAMESPACE"})
        text = self.run_command("status", VAULT_TOKEN="root").stdout
        self.assertRegex(text, r"VAULT_TOKEN +set  \(process environment\)\n")

    def test_a_name_that_does_not_resolve(self):
        self.assert_finds(78, "error", "https://vault.invalid:8200", "Could not resolve host",
                          VAULT_ADDR="https://vault.invalid:8200", VAULT_TOKEN="root")

    def test_a_port_where_nobody_listens(self):
        address = f"http://127.0.0.1:{free_port()}"
        self.assert_finds(78, "error", address, "connect", VAULT_ADDR=address, VAULT_TOKEN="root")

    def test_one_of_two_addresses_is_down(self):
        dead = f"http://127.0.0.1:{free_port()}"
        self.assert_finds(0, "warning", dead, VAULT_ADDR=f"{self.server.address},{dead}", **self.approle())

    def test_https_to_a_server_without_tls(self):
        address = self.server.address.replace("http:", "https:")
        self.assert_finds(78, "error", address, "http://", VAULT_ADDR=address, VAULT_TOKEN="root")

    def test_clear_text_to_another_machine(self):
        self.assert_finds(78, "warning", "VAULT_ADDR", "not https", VAULT_ADDR="http://192.0.2.1:1",
                          VAULT_CLIENT_TIMEOUT="1", VAULT_TOKEN="root")

    def test_a_clock_that_is_wrong(self):
        class Server(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response_only(200)
                self.send_header("Date", "Thu, 01 Jan 2026 00:00:00 GMT")
                body = b'{"initialized": true, "sealed": false}'
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        _, findings = self.findings(VAULT_ADDR=address, VAULT_TOKEN="fake")
        skew, = [finding for finding in findings if "clock" in finding["problem"]]
        self.assertEqual((skew["subject"], skew["severity"]), (address, "warning"))
        self.assertRegex(skew["problem"], r"is \d{6,} s behind this machine's")

    def test_a_login_that_is_refused(self):
        settings = {**self.approle(), "VAULT_SECRET_ID": "fake"}
        self.assert_finds(78, "error", "login", "invalid role or secret ID", **settings)

    def test_the_missing_capability_is_named(self):
        token = self.server.must("POST", "auth/token/create", {"policies": ["default"]})["auth"]
        self.assert_finds(78, "error", "token", "read on secret/data/qarion", token["accessor"],
                          'path "secret/data/qarion"', VAULT_TOKEN=token["client_token"])

    def test_a_token_that_may_do_anything(self):
        self.assert_finds(0, "warning", "token", "root", VAULT_TOKEN="root")

    def test_a_token_that_ends_soon(self):
        token = self.server.must("POST", "auth/token/create", {
            "policies": ["app-read"], "ttl": "10m", "renewable": False})["auth"]["client_token"]
        self.assert_finds(0, "warning", "token", "cannot be renewed", VAULT_TOKEN=token)

    def test_version_1(self):
        self.server.call("POST", "sys/mounts/kv1", {"type": "kv", "options": {"version": "1"}})
        self.server.must("POST", "kv1/qarion", {"SECRET_KEY": "fake"})
        self.assert_finds(78, "error", "VAULT_SECRET_PATH", "version 1", "enable-versioning",
                          VAULT_TOKEN="root", VAULT_SECRET_PATH="kv1/qarion")

    def test_a_path_without_data_that_cannot_be_found(self):
        self.server.must("PUT", "sys/policies/acl/none", {
            "policy": 'path "sys/internal/ui/mounts/*" { capabilities = ["deny"] }'})
        token = self.server.must("POST", "auth/token/create", {"policies": ["none"]})["auth"]["client_token"]
        self.assert_finds(78, "error", "token", "read on secret/qarion", "with data/ after the mount",
                          VAULT_TOKEN=token, VAULT_SECRET_PATH="secret/qarion")

    def test_a_secret_that_is_not_there(self):
        self.assert_finds(78, "error", "vault", "secret/data/nothing does not exist", VAULT_TOKEN="root",
                          VAULT_SECRET_PATH="secret/data/nothing")

    def test_settings_without_verification_or_effect(self):
        code, findings = self.findings(VAULT_TOKEN="root", VAULT_SKIP_VERIFY="1", VAULT_WRAP_TTL="60s")
        self.assertEqual(code, 0)
        self.assertLessEqual({"VAULT_SKIP_VERIFY", "VAULT_WRAP_TTL"}, {f["subject"] for f in findings})

    def test_a_proxy_that_is_named_and_one_that_is_not_for_this_machine(self):
        dead = f"http://127.0.0.1:{free_port()}"
        for setting in ("VAULT_PROXY_ADDR", "VAULT_HTTP_PROXY"):
            self.assert_finds(78, "error", self.server.address, "connect", VAULT_TOKEN="root",
                              NO_PROXY="*", **{setting: dead})
        code, _ = self.findings(VAULT_TOKEN="root", http_proxy=dead, all_proxy=dead)
        self.assertEqual(code, 0)

    def test_something_else_than_the_api(self):
        status, findings = self.findings(VAULT_ADDR=self.server.address + "/ui", VAULT_TOKEN="root")
        self.assertEqual(status, 78, findings)

    def test_trace_shows_no_secret(self):
        settings = self.approle()
        result = self.run_command("get", "SECRET_KEY", QARION_SECRETS_LOG="debug", **settings)
        self.assertIn("http: POST 127.0.0.1:", result.stderr)
        self.assertIn("/v1/auth/approle/login -> 200", result.stderr)
        for value in (*settings.values(), result.stdout, "X-Vault"):
            self.assertNotIn(value, result.stderr)


class Status(VaultCase):
    def test_shows_who_is_logged_in_and_until_when(self):
        reader = self.reader(50, **self.approle("status", token_ttl="1h"), SECRETS_CACHE_TTL="300")
        reader.expect(event="value")
        status = reader.status()
        self.assertEqual(status["address"], self.server.address)
        self.assertEqual(status["login"], "approle at auth/approle/")
        self.assertEqual(status["token policies"], "app-read, default")
        self.assertGreater(seconds_in(status["token expires"]), 3500)
        self.assertIn(seconds_in(status["next renewal"]), range(1790, 2410))

    def test_shows_the_last_failure(self):
        reader = self.reader(50, **self.approle("status2"), SECRETS_CACHE_TTL="300")
        reader.expect(event="value")
        self.server.must("DELETE", "secret/data/qarion")
        reader.ask("refresh")
        self.assertIn("was deleted", reader.status()["last fetch"])

    def test_of_the_command(self):
        result = self.run_command("status", "--output", "json", **self.approle("status3"))
        status = json.loads(result.stdout)
        self.assertEqual(status["details"]["login"], "approle at auth/approle/")
        self.assertEqual(status["source"], "secret/data/qarion at " + self.server.address)


if __name__ == "__main__":
    unittest.main()
