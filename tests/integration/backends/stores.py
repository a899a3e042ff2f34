"""All four stores, as real as they are to be had."""
import json

import bao
from backend_case import BackendCase, directory_of
from secret_manager import READ
from servers import REGION, MiniStack
from services import Services

BACKENDS = ("env", "vault", "aws_sm", "gcp_sm")
PASSWORD = "fake password of all"


def key_of(backend, time="first"):
    return f"fake-signing-key-of-{backend}-{time}-0123456789abcdef"


def fields_of(backend, time="first"):
    return {"SECRET_KEY": key_of(backend, time), "POSTGRES_PASSWORD": PASSWORD}


class StoresCase(BackendCase):
    """Each store has the same fields, but for the value of SECRET_KEY."""

    @classmethod
    def setUpClass(cls):
        directory = directory_of(cls)
        cls.bao = bao.dev_server()
        cls.addClassCleanup(cls.bao.close)
        cls.bao.must("PUT", "sys/policies/acl/app-read", {
            "policy": 'path "secret/data/qarion" { capabilities = ["read"] }'})
        cls.token = cls.bao.must("POST", "auth/token/create", {"policies": ["app-read"]})["auth"]["client_token"]
        cls.aws = MiniStack()
        cls.addClassCleanup(cls.aws.close)
        cls.aws_user = cls.aws.make_user("reader")
        cls.gcp = Services()
        cls.addClassCleanup(cls.gcp.close)
        cls.gcp.secrets.add_project("fake-project", 1234)
        cls.gcp_secret = cls.gcp.secrets.add_secret("fake-project", "qarion-secrets")
        account = cls.gcp.identity.new_account("reader@fake-project.iam.gserviceaccount.com")
        cls.gcp.identity.grant(account.principal, "projects/1234", *READ)
        cls.gcp_key = directory / "key.json"
        cls.gcp_key.write_text(json.dumps(account.key_file("https://oauth2.googleapis.com/token")))
        cls.aws_arn = cls.aws.make_secret("qarion-secrets", SecretString="{}")["ARN"]

    def setUp(self):
        super().setUp()
        for backend in BACKENDS:
            self.store(backend, "first")

    def store(self, backend, time):
        """Returns what the store calls the version that it made, where it does."""
        fields = fields_of(backend, time)
        if backend == "env":
            self.write(".env", "".join(f'{name}="{value}"\n' for name, value in fields.items()))
        elif backend == "vault":
            return str(self.bao.put(fields))
        elif backend == "aws_sm":
            return self.aws.root("secretsmanager").put_secret_value(
                SecretId="qarion-secrets", SecretString=json.dumps(fields))["VersionId"]
        else:
            return str(self.gcp.secrets.add_version(self.gcp_secret, json.dumps(fields).encode()).number)
        return None

    def backend_settings(self):
        return {"VAULT_ADDR": self.bao.address, "VAULT_TOKEN": self.token, "AWS_SECRET_ARN": "qarion-secrets",
                "AWS_REGION": REGION, "AWS_ENDPOINT_URL": self.aws.url, "AWS_EC2_METADATA_DISABLED": "true",
                **self.aws_user, "GOOGLE_APPLICATION_CREDENTIALS": str(self.gcp_key),
                "GCP_SECRET_ENDPOINT": self.gcp.url, "NO_GCE_CHECK": "true", "SECRETS_CACHE_TTL": "1"}
