"""Who signs what the tests log in with: tokens and certificates."""
import base64
import json
import pathlib
import subprocess
import time


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Signer:
    """Signs tokens with a key made now."""

    def __init__(self, directory, name="signer"):
        self.key = str(directory / f"{name}.pem")
        subprocess.run(["openssl", "genrsa", "-out", self.key, "2048"], check=True,
                       stderr=subprocess.DEVNULL)
        self.public = subprocess.run(["openssl", "rsa", "-in", self.key, "-pubout"], check=True,
                                     capture_output=True, text=True).stdout

    def sign(self, **claims):
        now = int(time.time())
        claims = {"iss": "https://iss.test", "sub": "app", "aud": ["bao-test"], "iat": now,
                  "nbf": now - 5, "exp": now + 600, **claims}
        text = base64url(b'{"alg":"RS256"}') + "." + base64url(json.dumps(claims).encode())
        signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.key],
                                   input=text.encode(), check=True, capture_output=True).stdout
        return text + "." + base64url(signature)


class Authority:
    """Signs certificates for as long as a test runs."""

    def __init__(self, directory, name):
        self.directory = pathlib.Path(directory)
        self.name = name
        self.openssl("req", "-x509", *self.new_key(name), "-days", "2", "-subj", f"/CN=fake authority {name}",
                     "-addext", "basicConstraints=critical,CA:TRUE", "-addext",
                     "keyUsage=keyCertSign,cRLSign", "-out", self.path(name + ".pem"))

    def path(self, name):
        return str(self.directory / name)

    def new_key(self, name):
        return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                self.path(name + ".key"))

    @staticmethod
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def issue(self, name, alternative="IP:127.0.0.1", days=1):
        """Makes NAME.pem and NAME.key, with CN=NAME."""
        request = self.path(name + ".csr")
        self.openssl("req", *self.new_key(name), "-subj", f"/CN={name}", "-out", request)
        extensions = pathlib.Path(self.path(name + ".ext"))
        extensions.write_text(f"subjectAltName={alternative}\nextendedKeyUsage=serverAuth,clientAuth\n")
        self.openssl("x509", "-req", "-in", request, "-CA", self.path(self.name + ".pem"), "-CAkey",
                     self.path(self.name + ".key"), "-CAcreateserial", "-days", str(days), "-extfile",
                     str(extensions), "-out", self.path(name + ".pem"))
        return self.path(name + ".pem"), self.path(name + ".key")
