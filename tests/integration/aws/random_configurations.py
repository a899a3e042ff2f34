"""Environments and files made by chance: every ingredient is one of those that the rules of AWS clients tell
apart, and what is forbidden comes up too."""
import json

from configurations import (CONFIG, CREDENTIALS, REFRESHABLE, ROLE, SOURCE_KEYS, SSO_LEGACY, SSO_PROFILE,
                            SSO_SESSION, STATIC, Configuration, sso_cache, sso_token)

PROFILES = ("default", "dev", "ops", "base")


class Maker:
    def __init__(self, random):
        self.random = random

    def chance(self, share):
        return self.random.random() < share

    def some(self, recipes):
        """Of (share, lines or pairs) those that chance takes, now and then without one of their parts."""
        taken = []
        for share, parts in recipes:
            if self.chance(share):
                parts = list(parts)
                if self.chance(0.05):
                    parts.pop(self.random.randrange(len(parts)))
                taken += parts
        return taken

    def environment(self, profiles):
        choose = self.random.choice
        return dict(self.some([
            (0.1, [("AWS_ACCESS_KEY_ID", "AKIAFAKEENVIRONMENT"), ("AWS_SECRET_ACCESS_KEY", "fake-of-environment")]),
            (0.05, [("AWS_ACCESS_KEY_ID", "")]),
            (0.15, [(choose(["AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"]), choose(["fake-token-of-environment", ""]))]),
            (0.1, [("AWS_ACCOUNT_ID", "444444444444")]),
            (0.6, [(choose(["AWS_PROFILE", "AWS_PROFILE", "AWS_DEFAULT_PROFILE"]), choose(profiles))]),
            (0.05, [("AWS_PROFILE", choose(PROFILES))]),
            (0.15, [("AWS_WEB_IDENTITY_TOKEN_FILE", "@HOME@/token"), ("AWS_ROLE_ARN", ROLE + "web")]),
            (0.1, [("AWS_ROLE_SESSION_NAME", "fake-session-of-environment")]),
            (0.3, [("AWS_CONTAINER_CREDENTIALS_FULL_URI", choose(["@URL@/container/c", "http://192.0.2.1/c",
                                                                  "http://localhost:@PORT@/container/l"]))]),
            (0.05, [("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/random")]),
            (0.2, [("AWS_CONTAINER_AUTHORIZATION_TOKEN", "fake-authorization")]),
            (0.1, [("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", choose(["@HOME@/token", "@HOME@/nothing"]))]),
            (0.6, [("AWS_EC2_METADATA_DISABLED", choose(["false", "False", None, ""]))]),
            (0.3, [("AWS_DEFAULT_REGION", choose([None, "eu-west-1", "cn-northwest-1", "us-gov-east-1"]))]),
            (0.1, [("AWS_USE_FIPS_ENDPOINT", choose(["true", "false", "True"]))]),
            (0.1, [("AWS_USE_DUALSTACK_ENDPOINT", choose(["true", "false", "True"]))]),
            (0.2, [(choose(["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SECRETS_MANAGER"]),
                    choose(["@URL@", "@URL@/below", "https://vpce.example:8443"]))]),
            (0.1, [("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", choose(["true", "false"]))]),
            (0.1, [("AWS_STS_REGIONAL_ENDPOINTS", choose(["legacy", "regional"]))]),
        ]))

    def profile(self, name, profiles, in_config):
        choose = self.random.choice
        keys = STATIC.format((name + ("-config" if in_config else "-credentials")).upper()).splitlines()
        role = f"role_arn = {ROLE}{name}"
        lines = self.some([
            (0.45, keys),
            (0.15, [choose(["aws_session_token", "aws_security_token"]) + " = fake-token-of-" + name]),
            (0.3, [role, "source_profile = " + choose([*profiles, *profiles, "nobody"])]),
        ])
        if role not in lines:
            lines += self.some([
                (0.15, [role, "credential_source = " + choose(["Environment", "EcsContainer", "Ec2InstanceMetadata"])]),
            ])
        if role not in lines:
            lines += self.some([(0.12, [role, "web_identity_token_file = @HOME@/token"])])
        lines += self.some([
            (0.03, ["web_identity_token_file = @HOME@/nothing"]),
            (0.1, ["role_session_name = fake-" + name]),
            (0.1, ["external_id = fake-external-" + name]),
            (0.1, ["duration_seconds = 1200"]),
            (0.15, ["credential_process = " + choose(["cat @HOME@/process", "cat @HOME@/process", "false"])]),
        ])
        if in_config:
            lines += self.some([
                (0.25, choose([SSO_LEGACY, SSO_PROFILE, SSO_PROFILE + "sso_region = us-east-1\n"]).splitlines()),
                (0.3, ["region = " + choose(["eu-central-1", "us-gov-west-1"])]),
                (0.1, ["endpoint_url = @URL@/of-profile"]),
                (0.1, ["services = " + choose(["lab", "lab", "nobody"])]),
                (0.1, ["use_fips_endpoint = " + choose(["true", "false"])]),
            ])
        self.random.shuffle(lines)
        return lines

    def file(self, profiles, in_config):
        text = ""
        for name in profiles:
            if not self.chance(0.8):
                continue
            word = "" if not in_config or name == "default" or self.chance(0.03) else "profile "
            text += "\n".join([f"[{word}{name}]", *self.profile(name, profiles, in_config)]) + "\n"
        if in_config:
            text += SSO_SESSION + "[services lab]\nsecrets_manager =\n  endpoint_url = @URL@/of-services\n"
        return text

    def configuration(self, name):
        files = {"token": "fake.web.identity.token", "process": json.dumps(
            {"Version": 1, "AccessKeyId": "AKIAFAKEPROCESS", "SecretAccessKey": "fake-secret-of-process"})}
        profiles = self.random.sample(PROFILES, self.random.randint(1, len(PROFILES)))
        if self.chance(0.9):
            files[CONFIG] = self.file(profiles, True)
        if self.chance(0.5):
            files[CREDENTIALS] = self.file(profiles, False)
        if self.chance(0.7):
            files[sso_cache("corp")] = self.random.choice(
                [sso_token(), sso_token(60, **REFRESHABLE), sso_token(-60, **REFRESHABLE), sso_token(-60)])
        if self.chance(0.7):
            files[sso_cache("https://sso.example/start")] = self.random.choice([sso_token(), sso_token(-60)])
        if self.chance(0.05):
            files[".boto"] = "[Credentials]\n" + SOURCE_KEYS
        return Configuration(name, self.environment(profiles), files)
