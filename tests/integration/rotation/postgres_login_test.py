#!/usr/bin/env python3
"""postgres_login_test.py QSECRETS: over TLS and with a password, which is the backend's where nobody else has one."""
import pathlib
import tempfile
import unittest

from postgres_rotation_case import PostgresRotationCase
from postgres_server import make_certificate
from ports import free_port

PASSWORD = "fake-p@ss/w:rd"
ENCODED = "fake-p%40ss%2Fw%3Ard"


class Logins(PostgresRotationCase):
    @classmethod
    def setUpClass(cls):
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        cls.certificate, key = make_certificate(pathlib.Path(directory.name), "server", "IP:127.0.0.1")
        cls.settings = {"tcp": True, "certificate": cls.certificate, "key": key}
        super().setUpClass()
        cls.server.sql(f"CREATE ROLE app SUPERUSER LOGIN PASSWORD '{PASSWORD}'")

    def setUp(self):
        super().setUp()
        self.make_tables()
        self.host = f"127.0.0.1:{self.server.port}"
        self.url = f"postgresql://app@{self.host}/{self.database.name}"

    def environment(self, **settings):
        return super().environment(**{"DATABASE_URL": self.url, "PGSSLMODE": "verify-full",
                                      "PGSSLROOTCERT": str(self.certificate), "HOME": str(self.directory), **settings})

    def assert_fails(self, status, *words, **options):
        result = super().assert_fails(status, *words, **options)
        for secret in (PASSWORD, ENCODED, "fake-wrong"):
            self.assertNotIn(secret, result.stdout + result.stderr)

    def test_the_password_is_the_backend_s(self):
        self.write(".env", f"POSTGRES_PASSWORD={PASSWORD}\n")
        self.rotate()
        self.assert_rotated()
        self.verify()

    def test_the_password_stands_in_database_url(self):
        self.rotate(DATABASE_URL=self.url.replace("app@", f"app:{ENCODED}@"))
        self.assert_rotated()

    def test_the_url_is_one_of_sqlalchemy_s(self):
        for number, driver in enumerate(("postgresql+asyncpg", "postgres+psycopg2")):
            keys = {"INSTANCE_ENCRYPTION_KEY": self.other, "INSTANCE_ENCRYPTION_KEY_PREVIOUS": self.new} if number else {}
            self.rotate(DATABASE_URL=self.url.replace("postgresql", driver), POSTGRES_PASSWORD=PASSWORD, **keys)
        self.assert_rotated(self.other)

    def test_a_service_file_names_it(self):
        service = self.write("services", f"[qarion]\nhost=127.0.0.1\nport={self.server.port}\nuser=app\n"
                                         f"dbname={self.database.name}\n")
        for settings in ({"PGSERVICE": "qarion", "DATABASE_URL": None}, {"DATABASE_URL": "service=qarion"}):
            self.rotate("--dry-run", PGSERVICEFILE=str(service), POSTGRES_PASSWORD=PASSWORD, **settings)

    def test_the_option_comes_before_the_setting(self):
        self.rotate("--database", self.url, DATABASE_URL="postgresql://nobody@nowhere.invalid/none", POSTGRES_PASSWORD=PASSWORD)

    def test_a_wrong_password_is_said_with_where_it_is_from(self):
        self.assert_fails(77, "app", "POSTGRES_PASSWORD of the backend", POSTGRES_PASSWORD="fake-wrong")
        self.assert_fails(77, "app", "PGPASSWORD", POSTGRES_PASSWORD=PASSWORD, PGPASSWORD="fake-wrong")
        self.assert_fails(77, "app", "the address", DATABASE_URL=self.url.replace("app@", "app:fake-wrong@"))
        passwords = self.write("passwords", "*:*:*:*:fake-wrong\n")
        passwords.chmod(0o600)
        self.assert_fails(77, "app", "PGPASSFILE", PGPASSFILE=str(passwords), POSTGRES_PASSWORD=PASSWORD)

    def test_no_password_is_said_with_where_it_may_be(self):
        self.assert_fails(77, "POSTGRES_PASSWORD")

    def test_a_server_that_is_not_there_or_has_no_such_database(self):
        self.assert_fails(69, "Connection refused", DATABASE_URL=f"postgresql://app@127.0.0.1:{free_port()}/app")
        self.assert_fails(78, "nowhere", DATABASE_URL=self.url.replace(self.database.name, "nowhere"),
                          POSTGRES_PASSWORD=PASSWORD)

    def test_a_server_whose_certificate_is_not_trusted(self):
        self.assert_fails(78, "PGSSLROOTCERT", PGSSLROOTCERT="system-none.pem", POSTGRES_PASSWORD=PASSWORD)

    def test_no_password_goes_to_a_server_without_tls(self):
        """Its pg_hba.conf has no line for such connections."""
        self.assert_fails(77, "app", PGSSLMODE="disable", POSTGRES_PASSWORD=PASSWORD)


if __name__ == "__main__":
    unittest.main()
