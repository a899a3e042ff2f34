#!/usr/bin/env python3
"""The addresses at which instances, tasks and pods find their credentials when no variable names another, for real:
in a network of this test's own. What comes from there is checked by MiniStack."""
import socket
import time
import unittest

import private_network
from private_network import CONTAINER, INSTANCE, INSTANCE_V6, POD, POD_V6
from recorder import Recorder
from scripted_services import EXPIRATION, INSTANCE_TOKEN, ROLES_PATH, Services
from support import FIELDS, AwsCase

TOKEN_LINE = "PUT /latest/api/token"
WITH_TOKEN = f"  x-aws-ec2-metadata-token: {INSTANCE_TOKEN}"


def setUpModule():
    private_network.enter()


class Default(AwsCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        made = cls.server.client("sts", *cls.user.values()).get_session_token()["Credentials"]
        cls.document = {"AccessKeyId": made["AccessKeyId"], "SecretAccessKey": made["SecretAccessKey"],
                        "Token": made["SessionToken"], "Expiration": EXPIRATION}

    def environment(self, **settings):
        """No keys of the user's, and nothing that names a place to ask for others."""
        return super().environment(**{"AWS_ACCESS_KEY_ID": None, "AWS_EC2_METADATA_DISABLED": None, **settings})

    def serve(self, *addresses, **answers):
        """`answers`: replaced ones; all keys are those of the session."""
        if any(":" in address for address in addresses) and not self.has_ipv6():
            self.skipTest("no IPv6 here")
        services = Services([(address, 80) for address in addresses])
        self.addCleanup(services.close)
        services.reset({"GET " + ROLES_PATH + "fake-role": self.of_instance,
                        "GET /v1/credentials": (200, self.document),
                        "GET /v2/credentials/fake-task": (200, self.document), **answers})
        return services

    @staticmethod
    def has_ipv6():
        try:
            with socket.socket(socket.AF_INET6) as tried:
                tried.bind((INSTANCE_V6, 0))
            return True
        except OSError:
            return False

    def of_instance(self, request):
        token = request.headers.get("x-aws-ec2-metadata-token")
        if token not in (None, INSTANCE_TOKEN):
            return 401, ""
        return 200, {**self.document, "Code": "Success", "Type": "AWS-HMAC"}

    def assert_asked(self, services, address, lines):
        self.assertEqual(services.lines(), lines)
        self.assertEqual({request.address for request in services.requests}, {address})


class Instance(Default):
    def test_with_a_token(self):
        services = self.serve(INSTANCE)
        self.assert_gets()
        self.assert_asked(services, INSTANCE, [
            TOKEN_LINE, "GET " + ROLES_PATH + WITH_TOKEN, "GET " + ROLES_PATH + "fake-role" + WITH_TOKEN])

    def test_of_the_first_version_alone(self):
        for status in (403, 404, 405):
            with self.subTest(status):
                services = self.serve(INSTANCE, **{TOKEN_LINE: (status, "")})
                self.assert_gets()
                self.assert_asked(services, INSTANCE, [
                    TOKEN_LINE, "GET " + ROLES_PATH, "GET " + ROLES_PATH + "fake-role"])
                services.close()

    def test_of_the_first_version_alone_where_that_is_forbidden(self):
        services = self.serve(INSTANCE, **{TOKEN_LINE: (404, "")})
        self.assert_fails(78, "AWS_EC2_METADATA_V1_DISABLED", AWS_EC2_METADATA_V1_DISABLED="true")
        self.assert_asked(services, INSTANCE, [TOKEN_LINE])

    def test_by_ipv6(self):
        for settings in ({"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "IPv6"}, {"AWS_IMDS_USE_IPV6": "true"}):
            with self.subTest(settings):
                services = self.serve(INSTANCE_V6)
                self.assert_gets(**settings)
                self.assert_asked(services, INSTANCE_V6, [
                    TOKEN_LINE, "GET " + ROLES_PATH + WITH_TOKEN, "GET " + ROLES_PATH + "fake-role" + WITH_TOKEN])
                services.close()

    def test_is_not_asked_where_that_is_forbidden(self):
        services = self.serve(INSTANCE)
        self.assert_fails(78, AWS_EC2_METADATA_DISABLED="true")
        self.assertEqual(services.lines(), [])

    def test_is_not_asked_where_there_are_keys(self):
        services = self.serve(INSTANCE, CONTAINER)
        self.assert_gets(**self.user)
        self.assertEqual(services.lines(), [])


class Containers(Default):
    def test_of_ecs(self):
        services = self.serve(CONTAINER, INSTANCE)
        self.assert_gets(AWS_CONTAINER_CREDENTIALS_RELATIVE_URI="/v2/credentials/fake-task")
        self.assert_asked(services, CONTAINER, ["GET /v2/credentials/fake-task"])

    def pod(self, address, **answers):
        services = self.serve(address, INSTANCE, **answers)
        host = f"[{address}]" if ":" in address else address
        return services, {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://{host}/v1/credentials",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": self.write("token", "fake.pod.identity.token")}

    def test_of_a_pod(self):
        for address in (POD, POD_V6):
            with self.subTest(address):
                services, settings = self.pod(address)
                self.assert_gets(**settings)
                self.assert_asked(services, address, ["GET /v1/credentials  Authorization: fake.pod.identity.token"])
                services.close()

    def test_of_a_pod_whose_token_changes(self):
        def ends_soon(_):
            when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 601))
            return 200, {**self.document, "Expiration": when}

        services, settings = self.pod(POD, **{"GET /v1/credentials": ends_soon})
        reader = self.reader(50, SECRETS_CACHE_TTL="1", **settings)
        reader.expect(event="value", value=FIELDS["SECRET_KEY"])
        self.write("token", "fake.next.token")
        reader.wait_for_status(lambda _: "fake.next.token" in services.lines()[-1], "another request")
        self.assertEqual(reader.end()["failures"], 0)

    def test_an_agent_that_refuses_is_no_reason_to_be_somebody_else(self):
        services, settings = self.pod(POD, **{"GET /v1/credentials": (403, "{}")})
        self.assert_fails(77, POD, "403", **settings)
        self.assertEqual({request.address for request in services.requests}, {POD})


class Proxies(Default):
    """In all their variables, a server that records what it is asked."""

    def setUp(self):
        super().setUp()
        self.proxy = Recorder()
        self.addCleanup(self.proxy.close)

    def assert_not_asked_by(self, services, **settings):
        for name in ("NO_PROXY", "no_proxy"):
            services.reset(services.answers)
            self.assert_gets(**self.proxy.settings(**{name: "127.0.0.1"}, **settings))
            self.assertNotEqual(services.lines(), [])
        self.assertEqual(self.proxy.lines, [])

    def test_are_not_asked_for_instances(self):
        self.assert_not_asked_by(self.serve(INSTANCE))
        if self.has_ipv6():
            self.assert_not_asked_by(self.serve(INSTANCE_V6), AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE="IPv6")

    def test_are_not_asked_for_tasks_and_pods(self):
        self.assert_not_asked_by(self.serve(CONTAINER),
                                 AWS_CONTAINER_CREDENTIALS_RELATIVE_URI="/v2/credentials/fake-task")
        self.assert_not_asked_by(self.serve(POD), AWS_CONTAINER_CREDENTIALS_FULL_URI=f"http://{POD}/v1/credentials")

    def test_are_asked_for_the_service_alone(self):
        """What this proves too: the tests above would have seen a request."""
        self.serve(INSTANCE)
        self.assert_fails(69, "secretsmanager.us-east-1.amazonaws.com",
                          **self.proxy.settings(AWS_ENDPOINT_URL=None, AWS_MAX_ATTEMPTS="1"))
        self.assertEqual(set(self.proxy.lines), {"CONNECT secretsmanager.us-east-1.amazonaws.com:443 HTTP/1.1"})


    def test_of_plain_http_are_named_in_lower_case(self):
        self.serve(INSTANCE)
        for name in ("http_proxy", "all_proxy", "ALL_PROXY"):
            self.assert_fails(78, "302", AWS_ENDPOINT_URL="http://aws.example", **{name: self.proxy.url})
        self.assertEqual(self.proxy.lines, ["POST http://aws.example/ HTTP/1.1"] * 3)


class Nobody(Default):
    """Most machines are no instances: what the way to credentials costs there that has nothing before."""

    def seconds_without(self, *words):
        begin = time.monotonic()
        self.assert_fails(78, "AWS_ACCESS_KEY_ID", *words)
        return time.monotonic() - begin

    def seconds_to_start(self):
        begin = time.monotonic()
        self.assert_fails(78, AWS_EC2_METADATA_DISABLED="true")
        return time.monotonic() - begin

    def test_an_address_where_nobody_listens_costs_nothing(self):
        self.assertLess(self.seconds_without(INSTANCE) - self.seconds_to_start(), 0.9)

    def test_an_address_from_where_nothing_comes_back_costs_a_second(self):
        with private_network.full_listener(INSTANCE):
            cost = self.seconds_without("does not answer within 1 s") - self.seconds_to_start()
        self.assertTrue(0.8 < cost < 2, cost)

    def test_a_service_that_hangs_costs_little_more(self):
        services = self.serve(INSTANCE, **{TOKEN_LINE: ("hang", "")})
        services.answers["GET " + ROLES_PATH] = ("hang", "")
        cost = self.seconds_without("does not answer within 250 ms") - self.seconds_to_start()
        self.assertTrue(1 < cost < 2.5, cost)
        self.assertEqual(services.lines(), [TOKEN_LINE, "GET " + ROLES_PATH])


if __name__ == "__main__":
    unittest.main()
