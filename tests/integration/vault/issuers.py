"""Who signs what the tests log in with: tokens, certificates, and a cluster that reviews tokens."""
import base64
import http.server
import json
import pathlib
import subprocess
import threading
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


class KubernetesApi:
    """Reviews tokens as the API server of Kubernetes does, and issues those of service accounts."""

    def __init__(self, directory):
        self.signer = Signer(directory)
        self.authority = Authority(directory, "kubernetes").path("kubernetes.pem")
        self.verdict = True
        self.status = 201
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def handler(self):
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                text = review["spec"]["token"].split(".")[1]
                claims = json.loads(base64.urlsafe_b64decode(text + "=="))
                review["status"] = {"authenticated": api.verdict, "audiences": ["bao"], "user": {
                    "username": claims["sub"], "uid": "fake-uid",
                    "groups": ["system:serviceaccounts"]}}
                body = json.dumps(review).encode()
                self.send_response(api.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        return Handler

    def service_account(self, namespace="prod", name="app", **claims):
        claims = {"iss": "kubernetes/serviceaccount", "sub": f"system:serviceaccount:{namespace}:{name}",
                  "aud": ["bao"], **claims}
        account = {"namespace": namespace, "serviceaccount": {"name": name, "uid": "fake-uid"}}
        return self.signer.sign(**claims, **{"kubernetes.io": account})

    def serve(self, server, mount="kubernetes", address=None):
        """Lets the server accept the service account `app` of the namespace `prod` at that mount."""
        server.must("POST", f"sys/auth/{mount}", {"type": "kubernetes"})
        server.must("POST", f"auth/{mount}/config", {
            "kubernetes_host": address or self.address, "disable_local_ca_jwt": True,
            "token_reviewer_jwt": self.service_account(),
            "kubernetes_ca_cert": pathlib.Path(self.authority).read_text()})
        server.must("POST", f"auth/{mount}/role/app", {
            "bound_service_account_names": ["app"], "bound_service_account_namespaces": ["prod"],
            "audience": "bao", "token_policies": "app-read"})

    def close(self):
        self.server.shutdown()
        self.server.server_close()
