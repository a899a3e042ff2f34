#!/usr/bin/env python3
"""terminal_test.py QSECRETS READER: a credential_process of somebody who sits at a terminal."""
import http.server
import json
import os
import pty
import select
import threading
import unittest

from backend_case import QSECRETS, BackendCase
from faults import ends

ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:app-AbCdEf"
ANSWER = json.dumps({"ARN": ARN, "Name": "app", "VersionId": "v1", "VersionStages": ["AWSCURRENT"],
                     "SecretString": json.dumps({"SECRET_KEY": "fake-value"})}).encode()


class Service(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, *_):
        pass


class AtATerminal(BackendCase):
    def setUp(self):
        super().setUp()
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.url = f"http://127.0.0.1:{server.server_address[1]}"

    def backend_settings(self):
        return {"SECRETS_BACKEND": "aws_sm", "SECRETS_ENV_FILE": "/dev/null", "AWS_SECRET_ARN": "app",
                "AWS_REGION": "eu-central-1", "AWS_EC2_METADATA_DISABLED": "true", "AWS_ENDPOINT_URL": self.url}

    def start(self, script):
        """`get` in the foreground of a terminal of its own; returns its process and the terminal's other end."""
        (self.directory / ".aws").mkdir()
        program = self.write("program", "#!/bin/sh\n" + script)
        os.chmod(program, 0o700)
        self.write(".aws/config", f"[default]\ncredential_process = {program}\n")
        environment = self.environment()
        child, terminal = pty.fork()
        if child == 0:
            os.chdir(self.directory)
            os.execve(QSECRETS, [QSECRETS, "get", "SECRET_KEY"], environment)
        self.addCleanup(os.close, terminal)
        return child, terminal

    def read_until(self, terminal, text):
        seen = b""
        while text not in seen and select.select([terminal], [], [], 30)[0]:
            try:
                seen += os.read(terminal, 4096)
            except OSError:  # nobody has it open any more
                break
        self.assertIn(text, seen)

    def test_a_program_may_ask(self):
        child, terminal = self.start("""printf 'code? ' >/dev/tty; read code </dev/tty
            echo '{"Version": 1, "AccessKeyId": "AKIDFAKE", "SecretAccessKey": "'"$code"'"}'
            """)
        self.read_until(terminal, b"code? ")
        os.write(terminal, b"fake-typed-key\n")
        self.read_until(terminal, b"fake-value")
        self.assertEqual(os.waitpid(child, 0)[1], 0)

    def test_an_interrupt_ends_a_program_too(self):
        child, terminal = self.start("echo $$ >pid; printf ready >/dev/tty; exec sleep 1000\n")
        self.read_until(terminal, b"ready")
        os.write(terminal, b"\x03")
        self.assertTrue(os.WIFSIGNALED(os.waitpid(child, 0)[1]))
        self.assertTrue(ends(self.directory / "pid"))


if __name__ == "__main__":
    unittest.main()
