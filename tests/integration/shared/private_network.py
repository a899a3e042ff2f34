"""A network of the test's own, in which nothing can be reached but itself, with the addresses at which machines,
instances, tasks and pods of clouds find their credentials."""
import contextlib
import ctypes
import fcntl
import os
import socket
import struct
import unittest

INSTANCE = "169.254.169.254"
CONTAINER = "169.254.170.2"
POD = "169.254.170.23"
INSTANCE_V6 = "fd00:ec2::254"
POD_V6 = "fd00:ec2::23"

# Of <sched.h>, <net/if.h> and <linux/sockios.h>.
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS = 0x8914
SIOCSIFADDR = 0x8916
IFF_UP = 1
LOOPBACK_INDEX = 1


def enter():
    """Moves this process, which must have one thread, and those it starts from then on. Where the machine
    does not permit that, the test is skipped. Returns whether there is IPv6."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0 and libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0:
        raise unittest.SkipTest(f"no network of its own here: {os.strerror(ctypes.get_errno())}")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
        for number, address in enumerate((INSTANCE, CONTAINER, POD)):
            fcntl.ioctl(control, SIOCSIFADDR, struct.pack(
                "16sHH4s8x", f"lo:{number}".encode(), socket.AF_INET, 0, socket.inet_aton(address)))
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as control:
            for address in (INSTANCE_V6, POD_V6):
                fcntl.ioctl(control, SIOCSIFADDR, struct.pack(
                    "16sIi", socket.inet_pton(socket.AF_INET6, address), 128, LOOPBACK_INDEX))
    except OSError:
        return False
    return True


@contextlib.contextmanager
def full_listener(address, port=80):
    """An address from where nothing comes back: more wait there than it has room for, and what comes then is dropped."""
    with socket.socket() as full, contextlib.ExitStack() as callers:
        full.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        full.bind((address, port))
        full.listen(0)
        for _ in range(3):
            caller = callers.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex((address, port))
        yield
