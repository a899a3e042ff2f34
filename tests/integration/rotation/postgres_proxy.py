"""Stands between a client and a server of PostgreSQL and looks at each message before it is passed on.

PostgreSQL's documentation, chapter 55, "Frontend/Backend Protocol": a message has one byte that says what it is and
four of its length, which count themselves; the first one of a connection has no such byte.
"""
import contextlib
import itertools
import pathlib
import socket
import struct
import tempfile
import threading

CANCEL_REQUEST = 80877102


class Cut(Exception):
    """Raised by who looks at a message: both ends of the connection are closed, and it is not passed on."""


class Message:
    def __init__(self, kind, body, number, connection):
        self.kind = kind  # "" for the first one of a connection
        self.body = body
        self.number = number  # of all messages in this direction, from 1
        self.connection = connection

    def is_command(self, beginning):
        """Whether it is an SQL command that begins so: a query, or one to be parsed after a name."""
        text = self.body if self.kind == "Q" else self.body.partition(b"\0")[2] if self.kind == "P" else b""
        return text.startswith(beginning.encode())

    def is_cancel_request(self):
        return not self.kind and struct.unpack_from(">i", self.body)[0] == CANCEL_REQUEST


class Connection:
    def __init__(self, client, server):
        self.client, self.server = client, server

    def close(self):
        for end in (self.client, self.server):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


class Proxy:
    """`on_message` is called with each message of a client, `on_answer` with each of the server, one at a time in each
    connection and direction; both may wait. `refuses`: new connections are closed at once."""

    def __init__(self, server, directory, on_message=None, on_answer=None):
        self.host = tempfile.mkdtemp(prefix="proxy-", dir=directory)
        self.socket_name = f".s.PGSQL.{server.port}"
        self.server = server
        self.on_message, self.on_answer = on_message, on_answer
        self.refuses = False
        self.numbers = itertools.count(1), itertools.count(1)
        self.connections = []
        self.threads = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(pathlib.Path(self.host) / self.socket_name))
        self.listener.listen()
        self.accepting = threading.Thread(target=self.accept, daemon=True)
        self.accepting.start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            try:
                if self.refuses:
                    raise OSError
                server.connect(f"{self.server.host}/{self.socket_name}")
            except OSError:
                client.close()
                server.close()
                continue
            connection = Connection(client, server)
            self.connections.append(connection)
            for source, sink, look, numbers in ((client, server, self.on_message, self.numbers[0]),
                                                (server, client, self.on_answer, self.numbers[1])):
                thread = threading.Thread(target=self.pass_on, daemon=True,
                                          args=(connection, source, sink, look, numbers))
                thread.start()
                self.threads.append(thread)

    def pass_on(self, connection, source, sink, look, numbers):
        kind_length = 0 if source is connection.client else 1
        waiting = bytearray()
        try:
            while received := source.recv(1 << 16):
                if look is None:
                    sink.sendall(received)
                    continue
                waiting += received
                while len(waiting) >= kind_length + 4:
                    size = kind_length + struct.unpack_from(">i", waiting, kind_length)[0]
                    if len(waiting) < size:
                        break
                    message = bytes(waiting[:size])
                    del waiting[:size]
                    look(Message(message[:kind_length].decode(), message[kind_length + 4:], next(numbers), connection))
                    sink.sendall(message)
                    kind_length = 1
        except (OSError, Cut):
            pass
        connection.close()

    def cut(self):
        """Closes all connections, and lets none be made."""
        self.refuses = True
        for connection in self.connections:
            connection.close()

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.accepting.join()
        self.cut()
        for thread in self.threads:
            thread.join()
        for connection in self.connections:
            connection.client.close()
            connection.server.close()


__all__ = ["Connection", "Cut", "Message", "Proxy"]
