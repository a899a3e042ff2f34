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
        token = self.make_token(period="6s")
        reader = self.reader(10, VAULT_TOKEN=token["client_token"], SECRETS_CACHE_TTL="0")
        time.sleep(12)
        status = reader.wait_for_status(lambda now: now["token expires"].startswith("in "), "learning its end")
        self.assertEqual(status["token accessor"], token["accessor"])
        self.assertLessEqual(seconds_in(status["token expires"]), 6)
        self.assertLessEqual(seconds_in(status["next renewal"]), 4)
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

    def test_one_that_may_not_renew_itself_is_replaced(self):
        """Without the policy `default` it may not: the service logs in again instead, in time."""
        settings = self.approle("bare", token_no_default_policy=True, token_ttl="3s", token_max_ttl="1h")
        logins = self.logins()
        reader = self.reader(10, **settings, SECRETS_CACHE_TTL="0")
        time.sleep(7)
        self.assertEqual(reader.status()["token policies"], "app-read")
        self.assertEqual(reader.end()["failures"], 0)
        # Each token lives 3 s, and half of that is over before it is worth another one.
        self.assertIn(self.logins() - logins, (3, 4, 5))

    def test_a_given_one_that_may_not_look_itself_up_serves_all_the_same(self):
        answer = self.server.must("POST", "auth/token/create", {
            "policies": ["app-read"], "no_default_policy": True, "ttl": "1h"})["auth"]
        self.assertEqual(answer["policies"], ["app-read"])
        lookups, renewals = self.count("lookup-self"), self.renewals()
        reader = self.reader(10, VAULT_TOKEN=answer["client_token"], SECRETS_CACHE_TTL="0")
        wait_for(lambda: "may not look itself up (403" in reader.status().get("token problem", ""),
                 "reporting it", 5)
        self.assertEqual(reader.status()["token expires"], "not known")
        time.sleep(1)
        self.assertEqual(reader.end()["failures"], 0)
        self.assertEqual((self.count("lookup-self") - lookups, self.renewals() - renewals), (1, 0))

    def test_one_whose_renewals_come_to_an_end_is_replaced_before(self):
        settings = self.approle("explicit", token_ttl="2s", token_explicit_max_ttl="4s")
        logins = self.logins()
        reader = self.reader(10, **settings, SECRETS_CACHE_TTL="0")
        time.sleep(7)
        self.assertEqual(reader.end()["failures"], 0)
        self.assertIn(self.logins() - logins, (2, 3, 4))

    def assert_ends(self, token, begin, after, reader):
        """It serves for as long as it lives; then there is a definite error and no more requests."""
        failure = reader.expect(event="failure", seconds=after + 6)
        # The server counts whole seconds, and the snapshot is fresh for one.
        self.assertTrue(after - 1 < failure["at"] - begin < after + 4, failure["at"] - begin)
        self.assertIn("reading secret/data/qarion was refused (403", failure["error"])
        self.assertNotIn(token, failure["error"])
        result = self.assert_fails(77, "was refused (403", "log in again", VAULT_TOKEN=token)
        self.assertNotIn(token, result.stderr)

    def test_the_end_of_a_given_one_is_a_definite_error(self):
        begin = time.monotonic()
        token = self.make_token(ttl="6s", renewable=False)["client_token"]
        renewals = self.renewals()
        reader = self.reader(10, VAULT_TOKEN=token, SECRETS_CACHE_TTL="1")
        reader.expect(event="value")
        self.assert_ends(token, begin, 6, reader)
        self.assertEqual(self.renewals(), renewals)

    def test_the_maximum_of_a_given_one_is_a_definite_error(self):
        begin = time.monotonic()
        token = self.make_token(ttl="8s", explicit_max_ttl="12s")["client_token"]
        renewals = self.renewals()
        reader = self.reader(10, VAULT_TOKEN=token, SECRETS_CACHE_TTL="1")
        reader.expect(event="value")
        self.assert_ends(token, begin, 12, reader)
        self.assertIn(self.renewals() - renewals, range(1, 16))  # more in its last second, which brings nothing

    def test_one_that_ended_with_its_parent_is_refused(self):
        self.server.must("PUT", "sys/policies/acl/parent", {
            "policy": READ_POLICY + '\npath "auth/token/create" { capabilities = ["update"] }'})
        parent = self.make_token(policies=["app-read", "parent"])
        child = self.server.must("POST", "auth/token/create", {"policies": ["app-read"]},
                                 token=parent["client_token"])["auth"]["client_token"]
        reader = self.reader(10, VAULT_TOKEN=child, SECRETS_CACHE_TTL="1")
        reader.expect(event="value")
        self.server.must("POST", "auth/token/revoke-accessor", {"accessor": parent["accessor"]})
        self.assertIn("was refused (403", reader.expect(event="failure", seconds=5)["error"])
        self.assertNotIn("value", self.next_second(reader))

    @staticmethod
    def next_second(reader):
        """The names of what happens, but for reads that a busy machine makes slow."""
        time.sleep(1)
        events = []
        while not reader.lines.empty():
            events.append(reader.next()["event"])
        return [event for event in events if event != "slow"]

    def test_one_whose_mount_is_taken_away_costs_one_login(self):
        self.server.must("POST", "sys/auth/passing", {"type": "approle"})
        self.server.must("POST", "auth/passing/role/app", {"token_policies": "app-read"})
        role_id = self.server.must("GET", "auth/passing/role/app/role-id")["data"]["role_id"]
        secret_id = self.server.must("POST", "auth/passing/role/app/secret-id", {})["data"]["secret_id"]
        reader = self.reader(10, VAULT_AUTH_MOUNT="passing", VAULT_ROLE_ID=role_id, VAULT_SECRET_ID=secret_id,
                             SECRETS_CACHE_TTL="0")
        reader.expect(event="value")
        self.server.must("DELETE", "sys/auth/passing")
        logins = self.count("update auth/passing/login ")
        failure = reader.expect(event="failure", seconds=5)
        # While it goes, and once it is gone.
        self.assertRegex(failure["error"], r"approle at auth/passing/ was refused \(40[34]")
        self.assertNotIn(secret_id, failure["error"])
        self.assertEqual(self.next_second(reader), [])
        self.assertLessEqual(self.count("update auth/passing/login ") - logins, 1)

    def test_one_for_another_network_costs_one_more_login_a_read(self):
        """Its login succeeds, and then it is refused like a dead one, for ever."""
        settings = self.approle("far", token_bound_cidrs=["192.0.2.0/24"])
        before = self.logins(), self.count("read secret/data/qarion ")
        self.assert_fails(77, "reading secret/data/qarion was refused (403, permission denied)",
                          "approle at auth/approle/", **settings)
        self.assertEqual((self.logins() - before[0], self.count("read secret/data/qarion ") - before[1]), (2, 2))

    def test_a_role_bound_to_another_network_costs_a_service_few_logins(self):
        settings = self.approle("moved", token_ttl="1h")
        reader = self.reader(10, **settings, SECRETS_CACHE_TTL="0")
        reader.expect(event="value")
        role = {"token_policies": "app-read", "token_ttl": "1h"}
        self.server.must("POST", "auth/approle/role/moved", {**role, "token_bound_cidrs": ["192.0.2.0/24"]})
        logins = self.logins()
        self.server.must("POST", "auth/token/revoke-accessor",
                         {"accessor": reader.status()["token accessor"]})
        self.assertIn("was refused (403", reader.expect(event="failure", seconds=5)["error"])
        time.sleep(2)
        self.assertEqual(self.logins() - logins, 1)
        self.server.must("POST", "auth/approle/role/moved", {**role, "token_bound_cidrs": []})
        reader.expect(event="value", seconds=15)
        self.assertLessEqual(self.logins() - logins, 3)

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
