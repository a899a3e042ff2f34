"""The database is found as libpq's own programs find it, and where it is not, the error says what to mend."""
import os
import pathlib
import shutil
import socket
import tempfile
import time
import unittest

from postgres_case import DRIVER, PostgresCase, Store, main
from postgres_server import make_certificate

PASSWORD = "pass/w:rd@%"
ENCODED = "pass%2Fw%3Ard%40%25"


class ConnectCase(PostgresCase):
    @classmethod
    def setUpClass(cls):
        if not ConnectCase.server_settings:
            directory = tempfile.TemporaryDirectory()
            unittest.addModuleCleanup(directory.cleanup)
            ConnectCase.directory = pathlib.Path(directory.name)
            ConnectCase.certificate, key = make_certificate(cls.directory, "server", "IP:127.0.0.1")
            ConnectCase.other_certificate, _ = make_certificate(cls.directory, "other", "IP:127.0.0.1")
            ConnectCase.server_settings = {"tcp": True, "certificate": cls.certificate, "key": key}
            super().setUpClass()
            cls.server.sql(f"CREATE ROLE app LOGIN PASSWORD '{PASSWORD}'")
            cls.server.sql("CREATE DATABASE app OWNER app")
        super().setUpClass()

    def setUp(self):
        self.database = "app"

    def write(self, name, text):
        path = self.directory / name
        path.touch(mode=0o600)
        path.write_text(text)
        return str(path)

    def url(self, login="app", host="127.0.0.1", settings=""):
        return f"postgresql://{login}@{host}:{self.server.port}/app{settings}"

    def assert_opens(self, address="", password="", place=None, **settings):
        store = self.store(address=address, password=password, **settings)
        place = place or f"127.0.0.1:{self.server.port}"
        self.assertRegex(store.description, rf"^PostgreSQL \d+\.\d+, database app at {place}$")
        self.assertFalse(store("busy")["busy"])

    def assert_no_login(self, code, *words, address="", password="", cure=(), **settings):
        store = Store(DRIVER, **settings)
        self.addCleanup(self.close_store, store)
        with self.assert_fails(code, *words, cure=cure) as error:
            store.open(address, password)
        for secret in (PASSWORD, ENCODED, "wrong-password"):
            self.assertNotIn(secret, str(error.exception))


class Addresses(ConnectCase):
    def test_the_variables_of_libpq(self):
        self.assert_opens(**self.server.variables("app", "app"), place=self.server.host)

    def test_a_connection_string(self):
        self.assert_opens(f"host={self.server.host} port={self.server.port} user=app dbname=app", place=self.server.host)

    def test_a_url(self):
        self.assert_opens(f"postgres://app@/app?host={self.server.host}&port={self.server.port}", place=self.server.host)

    def test_a_database_alone(self):
        self.assert_opens("app", **self.server.variables("postgres", "app"), place=self.server.host)

    def service(self):
        return self.write("services", f"[rotation]\nhost={self.server.host}\nport={self.server.port}\nuser=app\ndbname=app\n")

    def test_a_service_of_the_address(self):
        self.assert_opens("service=rotation", PGSERVICEFILE=self.service(), place=self.server.host)

    def test_a_service_of_the_variables(self):
        self.assert_opens(PGSERVICE="rotation", PGSERVICEFILE=self.service(), place=self.server.host)

    def test_the_first_of_several_hosts_that_answers(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            closed = taken.getsockname()[1]
        self.assert_opens(f"host=127.0.0.1,{self.server.host} port={closed},{self.server.port} user=app dbname=app",
                          place=self.server.host)

    def test_hosts_that_do_not_answer_are_not_the_last_ones(self):
        with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
            silent = [server.getsockname()[1] for server in (one, two)]
            self.assert_opens(f"host=127.0.0.1,127.0.0.1,{self.server.host} port={silent[0]},{silent[1]},{self.server.port} "
                              "user=app dbname=app connect_timeout=5", place=self.server.host)
            self.assert_opens(f"host=a,b hostaddr=127.0.0.1,127.0.0.1 port={silent[0]},{self.server.port} user=app dbname=app "
                              f"connect_timeout=5", password=PASSWORD, place=f"b:{self.server.port}")

    def test_hosts_of_a_url_that_do_not_answer(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            port = silent.getsockname()[1]
            self.assert_opens(f"postgresql://app@127.0.0.1:{port},127.0.0.1:{self.server.port}/app?connect_timeout=5",
                              password=PASSWORD)
            self.assert_no_login("unavailable", cure="PGCONNECT_TIMEOUT",
                                 address=f"host=127.0.0.1, port={port} user=app dbname=app connect_timeout=5")

    def test_a_service_that_is_unknown(self):
        self.assert_no_login("configuration", "nothing", address="service=nothing", PGSERVICEFILE=self.service(),
                             cure="pg_service.conf")

    def test_an_address_of_another_database(self):
        self.assert_no_login("configuration", "'mysql://'", address=f"mysql://app:{ENCODED}@localhost/app", cure="postgresql://")

    def test_an_address_for_another_library(self):
        self.assert_no_login("configuration", "'postgresql+psycopg2://'", address=f"postgresql+psycopg2://app:{ENCODED}@h/app",
                             cure="postgresql://")

    def test_a_url_that_cannot_be_read_is_not_shown(self):
        self.assert_no_login("configuration", "neither a URL nor a connection string",
                             address=f"postgresql://app:{PASSWORD}@localhost:port/app", cure="percent-encode")

    def test_a_connection_string_that_cannot_be_read_is_not_shown(self):
        self.assert_no_login("configuration", "neither a URL nor a connection string",
                             address=f"user=app password='wrong-password{PASSWORD}", cure="single quotes")

    def test_a_setting_that_is_unknown(self):
        self.assert_no_login("configuration", address=f"host=localhost pasword={PASSWORD}")

    def test_a_database_that_is_missing(self):
        self.assert_no_login("configuration", '"nothing" does not exist', address=f"host={self.server.host} "
                             f"port={self.server.port} user=app dbname=nothing", cure="PGDATABASE")

    def test_a_role_that_is_missing(self):
        self.assert_no_login("not_permitted", '"nobody" does not exist', address=f"host={self.server.host} "
                             f"port={self.server.port} user=nobody dbname=app", cure="pg_hba.conf")

    def test_a_port_where_nobody_listens(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            closed = taken.getsockname()[1]
        self.assert_no_login("unavailable", "127.0.0.1", str(closed), "Connection refused",
                             address=f"host=127.0.0.1 port={closed} user=app dbname=app", cure="PGPORT")

    def test_a_directory_without_a_socket(self):
        self.assert_no_login("unavailable", "/nonexistent", address="host=/nonexistent user=app dbname=app", cure="PGHOST")

    def test_a_server_that_does_not_answer(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            begin = time.monotonic()
            self.assert_no_login("unavailable", "does not answer within 2 s", cure="PGCONNECT_TIMEOUT", PGCONNECT_TIMEOUT="2",
                                 address=f"host=127.0.0.1 port={silent.getsockname()[1]} user=app dbname=app")
            self.assertLess(time.monotonic() - begin, 10)


class Passwords(ConnectCase):
    def test_in_the_address(self):
        self.assert_opens(self.url(f"app:{ENCODED}"))

    def test_in_the_variable(self):
        self.assert_opens(self.url(), PGPASSWORD=PASSWORD)

    def test_in_a_password_file(self):
        escaped = PASSWORD.replace(":", "\\:")
        path = self.write("passwords", f"127.0.0.1:{self.server.port}:app:app:{escaped}\n")
        self.assert_opens(self.url(), PGPASSFILE=path)

    def test_of_the_backend_where_there_is_no_other(self):
        self.assert_opens(self.url(), password=PASSWORD)

    def test_of_the_backend_is_not_looked_at_where_none_is_asked_for(self):
        self.assert_opens(**self.server.variables("app", "app"), password="wrong-password", place=self.server.host)

    def test_of_the_address_comes_before_that_of_the_backend(self):
        self.assert_opens(self.url(f"app:{ENCODED}"), password="wrong-password")

    def test_of_the_variable_comes_before_that_of_the_backend(self):
        self.assert_opens(self.url(), password="wrong-password", PGPASSWORD=PASSWORD)

    def test_a_rotation_logs_in_twice(self):
        for settings in ({"password": PASSWORD}, {"PGPASSWORD": PASSWORD}):
            self.sql("CREATE TABLE IF NOT EXISTS instances (id int PRIMARY KEY, url text); ALTER TABLE instances OWNER TO app; "
                     "DELETE FROM instances; INSERT INTO instances VALUES (1, 'A')")
            self.sql("GRANT CREATE ON SCHEMA public TO app")
            store = self.begun(address=self.url(), **settings)
            store("rotate", 0, 10)
            self.assertEqual(store("commit"), {"outcome": "committed"})
            self.assertEqual(self.urls(), ["B"])

    def assert_wrong(self, source, *, login="app", **options):
        self.assert_no_login("not_permitted", "does not accept the password of the role app", source,
                             address=self.url(login), **options)

    def test_wrong_in_the_address(self):
        self.assert_wrong("comes from the address, PGPASSWORD or a service file", login="app:wrong-password")

    def test_wrong_in_the_variable(self):
        self.assert_wrong("comes from the address, PGPASSWORD or a service file", PGPASSWORD="wrong-password")

    def test_wrong_in_the_password_file(self):
        path = self.write("wrong-passwords", "*:*:*:*:wrong-password\n")
        self.assert_wrong("comes from the password file", PGPASSFILE=path)

    def test_wrong_in_the_backend(self):
        self.assert_wrong("is POSTGRES_PASSWORD of the backend", password="wrong-password")

    def test_none_at_all(self):
        self.assert_no_login("not_permitted", "no password supplied", address=self.url(), cure="POSTGRES_PASSWORD")


class Encryption(ConnectCase):
    def test_a_certificate_that_is_signed_by_whom_we_trust(self):
        self.assert_opens(self.url(f"app:{ENCODED}", settings=f"?sslmode=verify-full&sslrootcert={self.certificate}"))

    def test_by_the_variables(self):
        self.assert_opens(self.url(), PGPASSWORD=PASSWORD, PGSSLMODE="verify-full", PGSSLROOTCERT=str(self.certificate))

    def test_a_certificate_that_is_signed_by_another(self):
        self.assert_no_login("configuration", "certificate verify failed", address=self.url(f"app:{ENCODED}"),
                             cure="PGSSLROOTCERT", PGSSLMODE="verify-full", PGSSLROOTCERT=str(self.other_certificate))

    def test_a_certificate_of_another_server(self):
        self.assert_no_login("configuration", 'does not match host name "localhost"', cure="name the server",
                             address=f"host=localhost hostaddr=127.0.0.1 port={self.server.port} user=app dbname=app",
                             PGSSLMODE="verify-full", PGSSLROOTCERT=str(self.certificate))

    def test_a_file_of_certificates_that_is_missing(self):
        self.assert_no_login("configuration", "/nonexistent.pem", address=self.url(f"app:{ENCODED}"), cure="PGSSLROOTCERT",
                             PGSSLMODE="verify-full", PGSSLROOTCERT="/nonexistent.pem")

    def test_a_server_that_wants_it_from_a_client_that_does_not(self):
        self.assert_no_login("not_permitted", "no encryption", address=self.url(f"app:{ENCODED}"), PGSSLMODE="disable",
                             cure="pg_hba.conf")


class Modules(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.module = self.directory / "qarion_rotation_postgres.so"

    def assert_refused(self, *words):
        store = Store(DRIVER, QARION_SECRETS_MODULE_DIR=str(self.directory))
        self.addCleanup(store.close)
        store.send("open", "", "")
        error = store.answer()["error"]
        self.assertEqual(error["code"], "configuration")
        for word in (str(self.module), *words):
            self.assertIn(word, error["reason"])
        self.assertTrue(error["cure"])

    def test_one_that_is_missing(self):
        self.assert_refused("No such file or directory")

    def test_one_that_everybody_can_change(self):
        shutil.copy(os.environ["QARION_ROTATION_MODULE"], self.module)
        self.module.chmod(0o777)
        self.assert_refused("can be changed by every user")

    def test_one_that_is_no_module(self):
        self.module.write_text("nothing")
        self.assert_refused("cannot be loaded")

    def test_one_that_exports_nothing(self):
        shutil.copy(os.environ["QARION_OTHER_MODULE"], self.module)
        self.assert_refused("qarion_secrets_open_store")

    def test_one_of_another_build(self):
        store = Store(DRIVER)
        self.addCleanup(store.close)
        store.send("open-as", os.environ["QARION_ROTATION_MODULE"], "9.9.9 Release")
        error = store.answer()["error"]
        self.assertEqual(error["code"], "configuration")
        self.assertRegex(error["reason"], r"of the build '\d+\.\d+\.\d+ .*', the library of '9.9.9 Release'")


if __name__ == "__main__":
    main()
