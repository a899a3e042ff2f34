"""A PostgreSQL server of the tests' own, in a temporary directory."""
import contextlib
import copy
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import psycopg2

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "shared"))
from ports import free_port  # noqa: E402

ADMIN = "postgres"  # the superuser


def binaries():
    """The directory of initdb and postgres; Debian has one for each major version."""
    if found := shutil.which("initdb"):
        return pathlib.Path(found).resolve().parent
    versions = pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(versions, key=lambda path: int(path.parts[-3]), default=None)
    if newest is None:
        raise AssertionError("PostgreSQL's server is not installed: tools/setup.sh test")
    return newest.parent


def unprivileged_user():
    """Whom the server runs as: it refuses to run as root. None: as this process."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise AssertionError("there is no user to run a server as")


def make_certificate(directory, name, alternative):
    """One that signs itself; returns its file and that of its key."""
    paths = directory / f"{name}.pem", directory / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                    "/CN=fake", "-days", "1", "-addext", f"subjectAltName={alternative}", "-keyout", paths[1], "-out",
                    paths[0]], check=True, stderr=subprocess.DEVNULL)
    return paths


class PostgresServer:
    """Listens on a Unix socket, where everybody is trusted; `tcp`: on 127.0.0.1 too, where passwords are asked for;
    `certificate` and `key`: with TLS alone there. `settings` are those of postgresql.conf."""

    def __init__(self, tcp=False, certificate=None, key=None, directory=None, fsync=False, **settings):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="qarion-pg-", dir=directory))
        self.data = self.directory / "data"
        self.user = unprivileged_user()
        self.port = free_port() if tcp else 5432
        self.process = None
        if self.user:
            os.chown(self.directory, self.user.pw_uid, self.user.pw_gid)
        self.directory.chmod(0o755)
        self.run("initdb", "-D", self.data, "-U", ADMIN, "-E", "UTF8", "--locale=C.UTF-8", "-A", "trust", "--no-sync",
                 "--no-instructions")
        lines = {"unix_socket_directories": str(self.directory), "listen_addresses": "127.0.0.1" if tcp else "",
                 "port": self.port, "max_connections": 30, "shared_buffers": "16MB", "max_wal_senders": 4,
                 "log_line_prefix": "%p %a ", "autovacuum": "off", **settings}
        if not fsync:
            lines |= {"fsync": "off", "synchronous_commit": settings.get("synchronous_commit", "off"),
                      "full_page_writes": "off"}
        if certificate:
            for name, source in (("server.crt", certificate), ("server.key", key)):
                self.write(self.data / name, pathlib.Path(source).read_bytes())
            lines |= {"ssl": "on", "ssl_cert_file": "server.crt", "ssl_key_file": "server.key"}
        with open(self.data / "postgresql.conf", "a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in lines.items())
        self.write(self.data / "pg_hba.conf", (
            f"local all all trust\nlocal replication all trust\n"
            f"{'hostssl' if certificate else 'host'} all all 127.0.0.1/32 scram-sha-256\n").encode())
        self.start()

    def make_standby(self):
        """A server that follows this one."""
        standby = copy.copy(self)
        standby.directory = pathlib.Path(tempfile.mkdtemp(prefix="qarion-pg-"))
        standby.data = standby.directory / "data"
        if self.user:
            os.chown(standby.directory, self.user.pw_uid, self.user.pw_gid)
        standby.directory.chmod(0o755)
        self.run("pg_basebackup", "-D", standby.data, "-h", self.host, "-p", str(self.port), "-U", ADMIN, "-R", "-c", "fast",
                 "-X", "stream", "--no-sync")
        with open(standby.data / "postgresql.conf", "a") as file:
            file.write(f"unix_socket_directories = '{standby.directory}'\nlisten_addresses = ''\n")
        standby.start()
        return standby

    def as_user(self):
        return {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []} if self.user else {}

    def write(self, path, contents):
        path.write_bytes(contents)
        path.chmod(0o600)
        if self.user:
            os.chown(path, self.user.pw_uid, self.user.pw_gid)

    def run(self, program, *arguments):
        ran = subprocess.run([binaries() / program, *arguments], cwd="/", env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
                             check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             text=True, **self.as_user())
        if ran.returncode:
            raise AssertionError(f"{program}: {ran.stdout}")

    def start(self):
        """A process of the server before it that still lives may keep it from starting, for a while."""
        deadline = time.monotonic() + 30
        while True:
            self.spawn()
            try:
                return self.wait_until_ready()
            except AssertionError:
                if self.process.poll() is None:
                    self.process.kill()
                self.process.wait()
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def spawn(self):
        with open(self.directory / "log", "a") as log:
            self.process = subprocess.Popen(
                [binaries() / "postgres", "-D", self.data], cwd="/", env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
                **self.as_user())

    def wait_until_ready(self, seconds=30):
        deadline = time.monotonic() + seconds
        while True:
            try:
                self.connect().close()
                return
            except psycopg2.OperationalError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError("the server does not start:\n" + self.log()) from None
                time.sleep(0.02)

    def log(self):
        return (self.directory / "log").read_text(errors="replace")

    def stop(self):
        """At once, with all connections, and in good order."""
        if self.process:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(30)
            self.process = None

    def children(self):
        listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(self.process.pid)], check=False,
                                stdout=subprocess.PIPE, text=True)
        return [int(pid) for pid in listed.stdout.split()]

    def crash(self):
        """As if the machine went down, but for what the kernel has not written yet."""
        self.process.send_signal(signal.SIGSTOP)  # it has no more children from here on
        children = self.children()
        self.process.kill()
        for pid in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        self.process = None

    def close(self):
        if self.process:
            self.crash()
        shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def host(self):
        return str(self.directory)

    def variables(self, database=ADMIN, user=ADMIN):
        """What libpq's programs find it with."""
        return {"PGHOST": self.host, "PGPORT": str(self.port), "PGUSER": user, "PGDATABASE": database}

    def address(self, database=ADMIN, user=ADMIN):
        return f"host={self.host} port={self.port} user={user} dbname={database}"

    def connect(self, database=ADMIN, user=ADMIN):
        """Each command is a transaction of its own until told otherwise."""
        connection = psycopg2.connect(host=self.host, port=self.port, user=user, dbname=database)
        connection.autocommit = True
        return connection

    def sql(self, command, values=None, database=ADMIN, user=ADMIN):
        """Runs it, and returns its rows where it has some."""
        connection = self.connect(database, user)
        try:
            with connection.cursor() as cursor:
                cursor.execute(command, values)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()
