"""A proxy that tells what it is asked."""
import contextlib
import socket
import threading


class Recorder:
    """A proxy that serves nobody: records the first line of every request, and sends clients elsewhere."""

    def __init__(self):
        self.lines = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                with connection:
                    self.lines.append(connection.recv(65536).decode("latin-1").partition("\r\n")[0])
                    connection.sendall(b"HTTP/1.1 302 Fake\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def settings(self, **more):
        names = [name for upper in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY") for name in (upper, upper.lower())]
        return {**dict.fromkeys(names, self.url), **more}
