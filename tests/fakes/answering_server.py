"""What the fakes of the clouds' services stand on: a server over HTTP that keeps every request, and any answer of which
a test can replace."""
import contextlib
import http.server
import socket
import threading


class AnsweringServer:
    """`answers`: replaced ones, "GET /path" to what usual_answer may return, to a list of those one after the other, or
    to a function of the request; None in their place is the usual answer, the status None hangs up and "hang" never
    answers. A subclass says what `request_kind` is made of a handler, what usual_answer is, and how that is `rendered`:
    the status, the body's bytes, and the headers."""
    request_kind = None

    def __init__(self, addresses=(("127.0.0.1", 0),)):
        self.answers = {}
        self.requests = []
        self.lock = threading.RLock()
        self.ends = threading.Event()
        self.servers = []
        for host, port in addresses:
            kind = type("Server", (http.server.ThreadingHTTPServer,), {
                "address_family": socket.AF_INET6 if ":" in host else socket.AF_INET,
                "daemon_threads": True, "request_queue_size": 64})
            self.servers.append(kind((host, port), self.handler()))
            threading.Thread(target=self.servers[-1].serve_forever, kwargs={"poll_interval": 0.05},
                             daemon=True).start()
        self.port = self.servers[0].server_port
        self.url = f"http://127.0.0.1:{self.port}"

    def reset(self, answers=None):
        """Forgets the requests and the replaced answers; everything else stays."""
        with self.lock:
            self.answers = {key: list(answer) if isinstance(answer, list) else answer
                            for key, answer in (answers or {}).items()}
            self.requests = []

    def handler(self):
        services = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def answer(self):
                answer = services.answer(services.request_kind(self))
                if answer[0] == "hang":
                    services.ends.wait(60)
                if answer[0] in (None, "hang"):
                    self.close_connection = True
                    return
                status, body, headers = services.rendered(*answer)
                self.send_response_only(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with contextlib.suppress(ConnectionError):  # the client may be gone
                    self.wfile.write(body)

            do_GET = do_PUT = do_POST = do_DELETE = do_PATCH = answer

            def log_message(self, *_):
                pass

        return Handler

    def answer(self, request):
        with self.lock:
            self.requests.append(request)
            answer = self.answers.get(f"{request.method} {request.path}")
            if isinstance(answer, list):
                answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if callable(answer):
            answer = answer(request)
        return answer or self.usual_answer(request)

    def close(self):
        self.ends.set()
        for server in self.servers:
            server.shutdown()
            server.server_close()
