"""Ports on this machine: whether one is taken, and which are free."""

from __future__ import annotations

import random
import socket
from contextlib import closing

# Below the range from which systems draw ports for outgoing connections: what is free here stays free.
_LOWEST, _HIGHEST = 20000, 29999


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """True if a server could listen at that port now."""
    if _answers(port):  # Some systems let a second server bind where a first one listens on every address.
        return False
    with closing(socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_ports(count: int) -> list[int]:
    """So many different ports that are free now. Drawn at random, so that processes side by side rarely meet."""
    found: list[int] = []
    for port in random.sample(range(_LOWEST, _HIGHEST + 1), k=_HIGHEST - _LOWEST + 1):
        if len(found) == count:
            break
        if is_free(port):
            found.append(port)
    return found


def _answers(port: int) -> bool:
    with closing(socket.socket()) as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0
