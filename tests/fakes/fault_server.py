#!/usr/bin/env python3
"""fault_server.py [--certificate PEM --key PEM [OPTION...]] STEP...

A server that misbehaves as told: the n-th connection is treated as the n-th STEP says, later ones as
the last. Prints its port, then a JSON line for each request it read, until its input ends.

Options: --offers-http2     prints the protocol that was agreed on, and closes
         --most-tls 1.1     offers no later version
         --client-ca PEM    asks for a client certificate, and adds the serial number of the one it
                            got to what it prints
         --reads-ahead      has read all that came when it refuses a certificate: the connection is
                            then closed, and not broken before the client has sent more

Steps: answer:STATUS[:HEADER=VALUE]      a small JSON answer, and more of them on the same connection
       json:STATUS:BODY                  an answer with that body
       page:STATUS                       an answer that is a web page
       route:{"PATH": [STATUS, BODY, HEADER...]}   by the path, in JSON; 404 for others
       once:STATUS                       a small JSON answer, then the end of the connection
       late:SECONDS:STATUS               an answer after a while, and more of them
       close                             as soon as it is accepted, also before TLS
       close-when-spoken-to              after the first bytes: in the middle of a TLS handshake
       greet                             speaks first, as mail servers do
       hang                              reads and never answers
       drip                              a byte of an answer each second
       drip-tls                          a byte of a TLS handshake each second
       stall                             half an answer, and then nothing
       cut-header, cut-body              part of an answer, then the end
       long-length                       promises more than it sends
       endless-body, endless-headers     never comes to an end
       long-header                       one header of a megabyte
       compressed[:STATUS]               100 MB of zeroes with Content-Encoding: gzip
       read-and-close                    reads a request and closes
       no-http                           something else than HTTP
       http-1.0                          an answer that ends with the connection
       two-answers                       100 Continue first
"""
import argparse
import functools
import gzip
import json
import os
import socket
import ssl
import sys
import threading
import time
import warnings

warnings.simplefilter("ignore")  # of TLS versions that nobody should speak

BODY = b'{"data":"fake"}'


class Quit(Exception):
    pass


def tell(event):
    """One write a line: connections are served side by side."""
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


def read_request(connection):
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            raise Quit
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    method, path, _ = lines[0].split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in
               (line.partition(":") for line in lines[1:])}
    while len(body) < int(headers.get("content-length", "0")):
        body += connection.recv(65536)
    return {"method": method, "path": path, "headers": headers, "body": body.decode("latin-1")}


def answer(status="200", headers=(), body=BODY):
    lines = [f"HTTP/1.1 {status} Fake", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@functools.cache
def bomb():
    return gzip.compress(bytes(100_000_000))


def misbehave(connection, step):
    name, *arguments = step.split(":", 2)
    if name == "close":
        return
    if name == "close-when-spoken-to":
        connection.recv(65536)
        return
    if name == "drip-tls":  # the beginning of a server's first message
        connection.recv(65536)
        for byte in b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03" + b"x" * 100:
            connection.sendall(bytes([byte]))
            time.sleep(1)
        return
    if name == "greet":
        connection.sendall(b"220 fake mail server\r\n")
        connection.recv(65536)
        return
    while True:
        request = read_request(connection)
        request["port"] = connection.getpeername()[1]
        if isinstance(connection, ssl.SSLSocket) and connection.getpeercert():
            request["serial"] = connection.getpeercert()["serialNumber"]
        tell(request)
        if name == "answer":
            headers = [argument.replace("=", ": ", 1) for argument in arguments[1:]]
            connection.sendall(answer(arguments[0], headers))
            continue
        if name == "json":
            connection.sendall(answer(arguments[0], ["Content-Type: application/json"],
                                      arguments[1].encode()))
            continue
        if name == "route":
            routes = json.loads(step.split(":", 1)[1])
            status, reply, *headers = routes.get(request["path"], [404, {"errors": []}])
            connection.sendall(answer(status, ["Content-Type: application/json", *headers],
                                      json.dumps(reply).encode()))
            continue
        if name == "page":
            connection.sendall(answer(arguments[0], ["Content-Type: text/html"],
                                      b"<html>default backend</html>"))
            continue
        if name == "late":
            time.sleep(float(arguments[0]))
            connection.sendall(answer(arguments[1]))
            continue
        if name == "once":
            connection.sendall(answer(arguments[0], ["Connection: close"]))
        elif name == "read-and-close":
            pass
        elif name == "stall":
            connection.sendall(answer()[:-5])
            time.sleep(3600)
        elif name == "hang":
            time.sleep(3600)
        elif name == "drip":
            for byte in answer():
                connection.sendall(bytes([byte]))
                time.sleep(1)
        elif name == "cut-header":
            connection.sendall(answer()[:20])
        elif name == "cut-body":
            connection.sendall(answer()[:-5])
        elif name == "long-length":
            connection.sendall(b"HTTP/1.1 200 Fake\r\nContent-Length: 1000000\r\n\r\n" + BODY)
        elif name == "endless-body":
            connection.sendall(b"HTTP/1.1 200 Fake\r\nTransfer-Encoding: chunked\r\n\r\n")
            while True:
                connection.sendall(b"8000\r\n" + b"x" * 0x8000 + b"\r\n")
        elif name == "endless-headers":
            connection.sendall(b"HTTP/1.1 200 Fake\r\n")
            while True:
                connection.sendall(b"X-Fake: " + b"x" * 1000 + b"\r\n")
        elif name == "long-header":
            connection.sendall(b"HTTP/1.1 200 Fake\r\nX-Fake: " + b"x" * 1_000_000 + b"\r\n\r\n")
        elif name == "compressed":
            connection.sendall(answer(*arguments[:1], headers=["Content-Encoding: gzip"], body=bomb()))
        elif name == "no-http":
            connection.sendall(b"220 fake mail server\r\n")
        elif name == "http-1.0":
            connection.sendall(b"HTTP/1.0 200 Fake\r\n\r\n" + BODY)
        elif name == "two-answers":
            connection.sendall(b"HTTP/1.1 100 Continue\r\nX-First: 1\r\n\r\n" + answer())
        else:
            raise ValueError(step)
        return


def serve(connection, step, context, options):
    try:
        if context and step not in ("close", "drip-tls"):
            connection = context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
            try:
                connection.do_handshake()
            except ssl.SSLError:
                if options.reads_ahead:
                    os.read(connection.fileno(), 65536)
                raise
            if options.offers_http2:
                tell({"protocol": connection.selected_alpn_protocol()})
                return
        misbehave(connection, step)
    except (Quit, OSError):
        pass  # the client went away
    finally:
        connection.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    parser.add_argument("--offers-http2", action="store_true")
    parser.add_argument("--most-tls", choices=["1.1"])
    parser.add_argument("--client-ca")
    parser.add_argument("--reads-ahead", action="store_true")
    parser.add_argument("steps", nargs="+")
    arguments = parser.parse_args()
    context = None
    if arguments.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(arguments.certificate, arguments.key)
        if arguments.most_tls:
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
            context.set_ciphers("DEFAULT@SECLEVEL=0")
        if arguments.client_ca:
            context.load_verify_locations(arguments.client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
        if arguments.offers_http2:
            context.set_alpn_protocols(["h2", "http/1.1"])
    if any(step.startswith("compressed") for step in arguments.steps):
        bomb()  # before any client waits for it
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    print(listener.getsockname()[1], flush=True)

    def accept():
        number = 0
        while True:
            connection, _ = listener.accept()
            step = arguments.steps[min(number, len(arguments.steps) - 1)]
            number += 1
            threading.Thread(target=serve, daemon=True,
                             args=(connection, step, context, arguments)).start()

    threading.Thread(target=accept, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
