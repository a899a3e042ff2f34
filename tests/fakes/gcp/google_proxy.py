"""The way to Google's own hosts, which most clients let no setting name otherwise: a proxy that ends their TLS itself,
with a certificate of the test's authority, and passes what is in it to the fake. Clients are told of the proxy and of
the authority, as in any company, and do nothing else than usual."""
import contextlib
import re
import select
import socket
import ssl
import threading

# What the certificate has to be for. Universes are other clouds by the same software.
NAMES = ("*.googleapis.com", "*.europe-west3.rep.googleapis.com", "*.example.goog")
KNOWN = re.compile("|".join(name.replace(".", r"\.").replace("*", "[a-z0-9-]+") for name in NAMES))


class GoogleProxy:
    """`address` of the fake, HOST:PORT; `elsewhere`: {host: address} of those that something else stands for. `asked`:
    the hosts in the order of connections, `refused`: those and the requests that are not what this is for."""

    def __init__(self, address, certificate, key):
        self.address = address
        self.elsewhere = {}
        self.asked = []
        self.refused = []
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate, key)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def serve(self, connection):
        with contextlib.suppress(OSError), connection:
            # What follows the session tickets would wait for the client's delayed acknowledgement, 40 ms.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            line = self.read_head(connection).partition("\r\n")[0]
            found = re.fullmatch(r"CONNECT ([^ ]+):443 HTTP/1\.[01]", line)
            if not found or not KNOWN.fullmatch(found[1]):
                self.refused.append(line)
                connection.sendall(b"HTTP/1.1 403 Fake\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                return
            self.asked.append(found[1])
            host, _, port = self.elsewhere.get(found[1], self.address).partition(":")
            with socket.create_connection((host, int(port))) as server:
                connection.sendall(b"HTTP/1.1 200 Fake\r\n\r\n")
                with self.context.wrap_socket(connection, server_side=True) as client:
                    self.pass_on(client, server)

    @staticmethod
    def read_head(connection):
        head = b""
        while not head.endswith(b"\r\n\r\n"):  # what comes next waits for the answer
            piece = connection.recv(65536)
            if not piece:
                break
            head += piece
        return head.decode("latin-1")

    @staticmethod
    def pass_on(client, server):
        """Both ways, until one of them ends."""
        while True:
            ready = [client] if client.pending() else select.select([client, server], [], [])[0]
            for source, target in ((client, server), (server, client)):
                if source in ready:
                    data = source.recv(65536)
                    if not data:
                        return
                    target.sendall(data)
