#!/usr/bin/env python3
"""Tokens in a running service: renewed, replaced at their end, revoked behind its back."""
import time
import unittest

from support import READ_POLICY, Audited, VaultCase, seconds_in, wait_for


class Lifecycle(Audited, VaultCase):
    def logins(self):
        return self.count("update auth/approle/login")

    def renewals(self):
        return self.count("update auth/token/renew-self")

    def make_token(self, **options):
        answer = self.server.must("POST", "auth/token/create", {"policies": ["app-read", "default"], **options})
        return answer["auth"]

    def test_a_token_of_seconds_is_renewed_and_replaced_at_its_maximum(self):
        settings = self.approle("short", token_ttl="3s", token_max_ttl="8s")
        logins, renewals = self.logins(), self.renewals()
        reader = self.reader(10, **settings, SECRETS_CACHE_TTL="0")
        time.sleep(18)
        self.assertEqual(reader.end()["failures"], 0)
        self.assertGreaterEqual(self.renewals() - renewals, 3)
        self.assertIn(self.logins() - logins, (3, 4, 5))  # 18 s, of tokens that live 8 s at most

    def test_a_periodic_token_of_the_operator_is_kept_alive(self):
        token = self.make_token(period="3s")
        reader = self.reader(10, VAULT_TOKEN=token["client_token"], SECRETS_CACHE_TTL="0")
        time.sleep(8)
        status = reader.status()
        self.assertEqual(status["token accessor"], token["accessor"])
        self.assertLessEqual(seconds_in(status["token expires"]), 3)
        self.assertLessEqual(seconds_in(status["next renewal"]), 2)
        self.assertEqual(reader.end()["failures"], 0)

    def test_one_that_cannot_be_renewed_is_replaced_before_its_end(self):
        settings = self.approle("batch", token_type="batch", token_ttl="3s")
        logins, renewals = self.logins(), self.renewals()
        reader = self.reader(10, **settings, SECRETS_CACHE_TTL="0")
        time.sleep(8)
        self.assertEqual(reader.end()["failures"], 0)
        self.assertEqual(self.renewals(), renewals)
        self.assertIn(self.logins() - logins, (3, 4, 5))

    def test_one_revoked_behind_its_back_costs_one_login(self):
        settings = self.approle("revoked", token_ttl="1h")
        reader = self.reader(10, **settings, SECRETS_CACHE_TTL="0")
        reader.expect(event="value")
        logins = self.logins()
        accessor = reader.status()["token accessor"]
        self.server.must("POST", "auth/token/revoke-accessor", {"accessor": accessor})
        time.sleep(1)
        self.assertNotEqual(reader.status()["token accessor"], accessor)
        self.assertEqual(reader.end()["failures"], 0)
        self.assertEqual(self.logins(), logins + 1)

    def test_one_that_is_never_accepted_costs_few_logins(self):
        settings = self.approle("bound", token_ttl="1h")
        reader = self.reader(10, **settings, SECRETS_CACHE_TTL="0")
        reader.expect(event="value")
        logins = self.logins()
        self.server.must("PUT", "sys/policies/acl/app-read", {
            "policy": 'path "nothing" { capabilities = ["deny"] }'})
        self.addCleanup(self.server.must, "PUT", "sys/policies/acl/app-read", {"policy": READ_POLICY})
        failure = reader.expect(event="failure")
        self.assertIn("was refused (403, permission denied)", failure["error"])
        self.assertIn("policies app-read, default", failure["error"])
        time.sleep(3)
        self.assertEqual(self.logins(), logins + 1)
        self.server.must("PUT", "sys/policies/acl/app-read", {"policy": READ_POLICY})
        reader.expect(event="value")

    def test_revocation_takes_effect(self):
        token = self.make_token(ttl="1h")
        reader = self.reader(10, VAULT_TOKEN=token["client_token"], SECRETS_CACHE_TTL="1")
        reader.expect(event="value")
        self.server.must("POST", "auth/token/revoke-accessor", {"accessor": token["accessor"]})
        failure = reader.expect(event="failure", seconds=5)
        self.assertIn("refused", failure["error"])

    def test_a_deleted_role_is_said_and_the_service_goes_on_till_the_end(self):
        settings = self.approle("gone", token_ttl="6s", token_max_ttl="1h")
        reader = self.reader(10, **settings, SECRETS_CACHE_TTL="0")
        reader.expect(event="value")
        self.server.must("DELETE", "auth/approle/role/gone")
        wait_for(lambda: "token problem" in reader.status(), "reporting it")
        logins = self.logins()
        failure = reader.expect(event="failure")
        self.assertGreater(failure["ms"], 5000)
        time.sleep(2)
        self.assertLess(self.logins() - logins, 4)
        self.assertTrue(any("could not be renewed" in line for line in reader.errors), reader.errors)

    def test_an_answer_without_renewal_is_none(self):
        """A user was deleted: the server answers 204 and renews nothing."""
        self.server.must("POST", "sys/auth/userpass", {"type": "userpass"})
        self.server.must("POST", "auth/userpass/users/app", {
            "password": "fake", "token_policies": "app-read", "token_ttl": "4s", "token_max_ttl": "1h"})
        reader = self.reader(10, VAULT_USERNAME="app", VAULT_PASSWORD="fake", SECRETS_CACHE_TTL="0")
        reader.expect(event="value")
        self.server.must("DELETE", "auth/userpass/users/app")
        wait_for(lambda: "token problem" in reader.status(), "reporting it")
        failure = reader.expect(event="failure")
        self.assertIn("userpass", failure["error"])

    def test_changed_policies_lead_to_another_login(self):
        self.server.call("POST", "sys/auth/userpass", {"type": "userpass"})
        user = {"password": "fake", "token_policies": "app-read", "token_ttl": "4s", "token_max_ttl": "1h"}
        self.server.must("POST", "auth/userpass/users/changed", user)
        reader = self.reader(10, VAULT_USERNAME="changed", VAULT_PASSWORD="fake", SECRETS_CACHE_TTL="0")
        reader.expect(event="value")
        self.server.must("POST", "auth/userpass/users/changed",
                         {**user, "token_policies": "app-read,another"})
        wait_for(lambda: "another" in reader.status()["token policies"], "logging in again")
        self.assertEqual(reader.end()["failures"], 0)

    def test_commands_neither_look_up_nor_renew(self):
        before = self.count("lookup-self") + self.renewals()
        self.assert_gets(VAULT_TOKEN=self.make_token(ttl="1h")["client_token"])
        self.assert_gets(**self.approle("cli"))
        self.assertEqual(self.count("lookup-self") + self.renewals(), before)

    def test_one_login_serves_every_caller(self):
        settings = self.approle("many", token_ttl="1h")
        logins = self.logins()
        reader = self.reader(0, **settings, SECRETS_CACHE_TTL="0")
        time.sleep(1)
        self.assertEqual(reader.end()["failures"], 0)
        self.assertEqual(self.logins(), logins + 1)


if __name__ == "__main__":
    unittest.main()
