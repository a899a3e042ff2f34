"""Plays recorded HTTP traffic to a client that reaches every host through a proxy: no name is resolved, and to
which host a request goes can be seen."""
import http.client
import json
import pathlib
import socket
import ssl
import threading
import urllib.parse


class Exchange:
    """A request as the client sent it or as it was recorded, and what is answered."""

    def __init__(self, method, url, headers, body, answer=None):
        parts = urllib.parse.urlsplit(url)
        self.method = method
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.path = parts.path or "/"
        self.query = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
        self.headers = {name.lower(): value for name, value in headers.items()}
        self.form = dict(urllib.parse.parse_qsl(body, keep_blank_values=True))
        self.answer = answer

    def place(self):
        return self.method, self.origin, self.path


def recorded(path):
    """The exchanges of an http-traffic.json, in their order."""
    exchanges = {}
    for event in json.loads(pathlib.Path(path).read_text())["events"]:
        action, number = event["action"], event["connection_id"]
        if "Request" in action:
            exchanges[number] = {"request": action["Request"]["request"], "Request": "", "Response": "", "status": None}
        elif "Response" in action:
            exchanges[number]["status"] = action["Response"]["response"]["Ok"]["status"]
        elif "Data" in action:
            exchanges[number][action["Data"]["direction"]] += action["Data"]["data"]["Utf8"]
    return [Exchange(one["request"]["method"], one["request"]["uri"],
                     {name: values[0] for name, values in one["request"]["headers"].items()},
                     one["Request"], (one["status"], one["Response"])) for one in exchanges.values()]


class Replay:
    """Listens at `addresses`, as a proxy too. A request is answered as the next recorded one to the same place was;
    where there is none any more, an error that came last is repeated, and else the answer is 404."""

    def __init__(self, addresses, certificate, key):
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(certificate, key)
        self.lock = threading.Lock()
        self.play([])
        self.listeners = []
        for address in addresses:
            listener = socket.create_server(address, backlog=16)
            self.listeners.append(listener)
            threading.Thread(target=self.accept, args=(listener,), daemon=True).start()
        self.proxy = "http://{}:{}".format(*self.listeners[0].getsockname())

    def play(self, exchanges):
        with self.lock:
            self.left = list(exchanges)
            self.last = (404, "")
            self.seen = []

    def accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        origin = "http://" + connection.getsockname()[0]
        stream = connection.makefile("rwb")
        try:
            while (request := self.read(stream)) is not None:
                method, target, headers, body = request
                if method == "CONNECT":
                    stream.write(b"HTTP/1.1 200 OK\r\n\r\n")
                    stream.flush()
                    origin = "https://" + target.removesuffix(":443")
                    connection = self.tls.wrap_socket(connection, server_side=True)
                    stream = connection.makefile("rwb")
                    continue
                url = target if target.startswith("http:") else origin + target
                status, text = self.answer(Exchange(method, url, headers, body))
                content = text.encode()
                stream.write(f"HTTP/1.1 {status} Recorded\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content)
                stream.flush()
        except OSError:
            pass  # the client left
        finally:
            connection.close()

    @staticmethod
    def read(stream):
        words = stream.readline().decode().split()
        if len(words) != 3:
            return None
        headers = http.client.parse_headers(stream)
        body = stream.read(int(headers.get("Content-Length") or 0)).decode()
        return words[0], words[1], dict(headers.items()), body

    def answer(self, request):
        with self.lock:
            self.seen.append(request)
            found = next((one for one in self.left if one.place() == request.place()), None)
            if found:
                self.left.remove(found)
                self.last = found.answer
                return found.answer
            return self.last if self.last[0] >= 400 else (404, "")

    def close(self):
        for listener in self.listeners:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
