"""Who looks for credentials in a sandbox: boto3, and the program aws_credentials_dump."""
import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
PASSED_ON = ("ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS", "LLVM_PROFILE_FILE")


class Boto3:
    def __init__(self):
        self.process = subprocess.Popen([sys.executable, HERE / "boto3_worker.py"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            raise AssertionError("boto3 does not start")

    def look(self, directory, environment):
        self.process.stdin.write(json.dumps({"directory": directory, "environment": environment}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


class Ourselves:
    def __init__(self, program):
        self.program = program

    def look(self, directory, environment):
        for name in PASSED_ON:
            if name in os.environ:
                environment = {name: os.environ[name], **environment}
        result = subprocess.run([self.program], cwd=directory, env=environment, stdin=subprocess.DEVNULL,
                                capture_output=True, text=True, timeout=60, check=False)
        if result.returncode != 0:
            raise AssertionError(f"status {result.returncode}: {result.stderr}")
        return {**json.loads(result.stdout), "log": result.stderr}
