"""A cluster that issues tokens to service accounts and reviews them."""
import base64
import http.server
import json
import pathlib
import threading

from issuers import Authority, Signer


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
