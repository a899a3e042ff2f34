"""Ports of 127.0.0.1 for servers that have to be told theirs, and for addresses where nobody is to answer."""
import pathlib
import random
import socket

# The system gives ports from here on to whoever connects or leaves the choice to it, at any moment.
_GIVEN_BY_THE_SYSTEM = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
_OURS = range(10_000, _GIVEN_BY_THE_SYSTEM) if _GIVEN_BY_THE_SYSTEM > 20_000 else range(10_000, 65_536)
_kept = []


def _keep(port):
    """Whether it is for this process alone among the tests, until it ends, and nobody else has it."""
    name = socket.socket(socket.AF_UNIX)
    try:
        name.bind(f"\0qarion-test-port-{port}")
        with socket.socket() as tried:
            tried.bind(("127.0.0.1", port))
    except OSError:
        name.close()
        return False
    _kept.append(name)
    return True


def free_port(adjacent=1):
    """The first of so many adjacent ports. No other test gets them, whether somebody listens there or not."""
    while True:
        port = random.choice(_OURS[:-adjacent])
        if all(_keep(each) for each in range(port, port + adjacent)):
            return port
