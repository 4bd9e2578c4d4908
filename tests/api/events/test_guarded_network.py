"""Callbacks lead outside: whatever a host is written like, and whatever its name stands for."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from ipaddress import ip_address

import pytest
from httpcore2 import ConnectError

from api.events.guarded_network import (
    GuardedBackend,
    InternalAddress,
    IpAddress,
    is_outside,
    look_up,
    outside_addresses,
)


class Names:
    """A name service that gives the next of some answers each time that it is asked."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)

    async def __call__(self, host: str, port: int) -> Sequence[IpAddress]:
        return [ip_address(address) for address in self.answers.pop(0)]


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",  # carrier-grade NAT
        "169.254.169.254",  # metadata of most clouds
        "168.63.129.16",  # that of Azure
        "192.0.0.192",  # that of Oracle
        "224.0.0.1",
        "239.1.1.1",
        "233.252.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",  # 10.0.0.1 through NAT64
        "2002:a00:1::1",  # through 6to4
        "2001:0:808:808::f5ff:fffe",  # through Teredo
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "ff0e::1",
        "2001:db8::1",
        "3fff::1",
        "64:ff9b:1::1",
    ],
)
def test_an_address_inside_is_not_outside(address: str) -> None:
    assert not is_outside(ip_address(address))


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.215.14", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::808:808"]
)
def test_a_public_address_is_outside(address: str) -> None:
    assert is_outside(ip_address(address))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1", "2130706433", "0x7f.1", "::1", "0"])
async def test_this_machine_is_refused_however_it_is_written(host: str) -> None:
    with pytest.raises(InternalAddress, match=r"internal address$"):
        await outside_addresses(host, 443, look_up)


async def test_a_name_is_refused_if_only_one_of_its_addresses_is_internal() -> None:
    with pytest.raises(InternalAddress, match=r"^shop\.example leads to an internal address$"):
        await GuardedBackend(Names(["1.1.1.1", "10.0.0.7"])).connect_tcp("shop.example", 443)


async def test_a_name_is_checked_for_each_connection() -> None:
    names = Names(["1.1.1.1"], ["127.0.0.1"])
    assert await outside_addresses("shop.example", 443, names)
    with pytest.raises(InternalAddress):
        await GuardedBackend(names).connect_tcp("shop.example", 443)


async def test_what_was_checked_is_what_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    async with await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        # Only here does this machine count as outside. A second look-up would find no answer.
        monkeypatch.setattr("api.events.guarded_network.is_outside", lambda address: True)
        stream = await GuardedBackend(Names(["127.0.0.1"])).connect_tcp("shop.example", port, timeout=5)
        assert stream.get_extra_info("server_addr")[1] == port
        await stream.aclose()


async def test_a_name_that_nobody_knows_can_not_be_connected_to() -> None:
    async def unknown(host: str, port: int) -> Sequence[IpAddress]:
        raise OSError("Name or service not known")

    with pytest.raises(ConnectError, match=r"^shop\.example cannot be looked up$"):
        await GuardedBackend(unknown).connect_tcp("shop.example", 443)


async def test_a_socket_of_this_machine_is_refused() -> None:
    with pytest.raises(InternalAddress):
        await GuardedBackend().connect_unix_socket("/run/docker.sock")
