"""A network that leads outside only: no name and no address gets a request into the provider's own network.

Callbacks are addresses that strangers choose. What a name stands for is looked up for each connection, checked, and
then connected to as checked: a name that is looked up a second time may lead elsewhere by then (DNS rebinding).

No library is known that does so for httpcore2: those there are guard other clients, or check before a second look-up.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final, TypeAlias

from httpcore2 import (
    SOCKET_OPTION,
    AnyIOBackend,
    AsyncNetworkBackend,
    AsyncNetworkStream,
    ConnectError,
    ConnectTimeout,
)

IpAddress: TypeAlias = IPv4Address | IPv6Address

Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[IpAddress]]]
"""Looks up the addresses of a host, for a port. Raises OSError where there are none."""

_SPECIAL: Final = (
    IPv4Network("168.63.129.16/32"),  # where machines on Azure find their own metadata and DNS
    IPv4Network("192.0.0.0/24"),  # protocol assignments, another cloud's metadata among them
    IPv4Network("192.88.99.0/24"),  # relays from IPv4 to IPv6, no longer in use
)
"""What Python, or some version of it, takes for public."""

_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
_DOCUMENTATION: Final = IPv6Network("3fff::/20")
_NAT64: Final = IPv6Network("64:ff9b::/96")

_LOOKING_UP: Final = ThreadPoolExecutor(max_workers=16, thread_name_prefix="look-up")
"""Threads of their own: names that are never answered for hold up neither the register nor anything else."""


class InternalAddress(ConnectError):
    """A host is, or stands for, an address that is not outside."""


def is_outside(address: IpAddress) -> bool:
    """True for public unicast addresses, also where one address stands in for another (mapped, 6to4, Teredo, NAT64)."""
    if isinstance(address, IPv4Address):
        special = address.is_multicast or any(address in network for network in _SPECIAL)
        return address.is_global and not special
    inner = _wrapped_in(address)
    if inner is not None:
        return is_outside(inner)
    return address.is_global and address in _GLOBAL_UNICAST and address not in _DOCUMENTATION


def _wrapped_in(address: IPv6Address) -> IPv4Address | None:
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


async def look_up(host: str, port: int) -> Sequence[IpAddress]:
    """The addresses of a host as the system knows them. UnicodeError where it can be nobody's name."""
    find = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    found = await asyncio.get_running_loop().run_in_executor(_LOOKING_UP, find)
    return list(dict.fromkeys(ip_address(address[0]) for *_, address in found))


async def outside_addresses(host: str, port: int, resolve: Resolve = look_up) -> Sequence[IpAddress]:
    """The addresses of a host, all of them outside.

    Raises:
        InternalAddress: if one is not. It need not be the one that would be connected to.
        OSError: if the host has none.
    """
    addresses = await resolve(host, port)
    for address in addresses:
        if not is_outside(address):
            # Which one is nothing to strangers: it would tell them what there is inside.
            raise InternalAddress(f"{host} leads to an internal address")
    return addresses


class GuardedBackend(AsyncNetworkBackend):
    """Connects to addresses outside only. TLS and the Host header stay with the name that was asked for."""

    def __init__(self, resolve: Resolve = look_up) -> None:
        self._resolve = resolve
        self._network = AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> AsyncNetworkStream:
        """Connect to the first address that takes it.

        Raises:
            InternalAddress: if one of the host's addresses is not outside.
            httpcore2.ConnectError: if none takes it.
            httpcore2.ConnectTimeout: if the last one that was tried took too long.
        """
        failure: ConnectError | ConnectTimeout = ConnectError(f"{host} has no address")
        try:
            addresses = await outside_addresses(host, port, self._resolve)
        except (OSError, UnicodeError) as error:
            raise ConnectError(f"{host} cannot be looked up") from error
        for address in addresses:
            try:
                return await self._network.connect_tcp(str(address), port, timeout, local_address, socket_options)
            except (ConnectError, ConnectTimeout) as error:
                failure = error
        raise failure

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[SOCKET_OPTION] | None = None
    ) -> AsyncNetworkStream:
        """Refuse: a socket in the file system is not outside."""
        raise InternalAddress(f"{path} is a socket of this machine")
