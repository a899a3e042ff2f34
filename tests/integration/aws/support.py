"""What the tests of the backend `aws_sm` share: a server that checks who asks, and a secret."""
import json
import os

from backend_case import FIELDS, QSECRETS, BackendCase, directory_of, seconds_in, wait_for  # noqa: F401

from servers import REGION, MiniStack

LONG_ENOUGH = 12  # of a credential, to be looked for in outputs


class AwsCase(BackendCase):
    """Each class has a server with the secret `qarion`, which holds FIELDS, and a user who may read."""

    @classmethod
    def setUpClass(cls):
        cls.start()
        cls.user = cls.server.make_user("reader")
        cls.secret = cls.server.make_secret("qarion", SecretString=json.dumps(FIELDS))

    @classmethod
    def start(cls):
        cls.server = MiniStack()
        cls.addClassCleanup(cls.server.close)

    def backend_settings(self):
        return {"SECRETS_BACKEND": "aws_sm", "AWS_SECRET_ARN": "qarion", "AWS_REGION": REGION,
                "AWS_ENDPOINT_URL": self.server.url, "AWS_EC2_METADATA_DISABLED": "true"}

    def environment(self, **settings):
        """With the user's keys, unless others are given."""
        who = {} if any(name in settings for name in self.user) else self.user
        return super().environment(**who, **settings)

    def run_command(self, *arguments, **settings):
        """In no output is a credential of the settings."""
        result = super().run_command(*arguments, **settings)
        for name, value in {**self.user, **settings}.items():
            if value and ("SECRET_ACCESS_KEY" in name or "TOKEN" in name) and not name.endswith("_FILE"):
                self.assert_not_shown(value, result, name)
        return result

    def assert_not_shown(self, value, result, name="the value"):
        for at in range(0, max(1, len(value) - LONG_ENOUGH + 1), 4):
            for stream in (result.stdout, result.stderr):
                self.assertNotIn(value[at:at + LONG_ENOUGH], stream, name)

    def make_secret(self, value=None, **more):
        """A new secret's name: of fields, or as it is said."""
        name = "s" + os.urandom(6).hex()
        if value is not None:
            more["SecretString"] = value if isinstance(value, str) else json.dumps(value)
        made = self.server.make_secret(name, **more)
        return name, made


def settings_of(credentials):
    """As variables, what STS hands out."""
    return {"AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
            "AWS_SESSION_TOKEN": credentials["SessionToken"]}
