"""The attacks: what each sends, over and over."""

from __future__ import annotations

import asyncio
import json
import zlib
from base64 import b64encode
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import httpx2
from temporalio.api.common.v1 import Payload

from workflows.sdk.codec import ENCODING

ORDERS: Final = "/tmf-api/productOrderingManagement/v4/productOrder"
DECODE: Final = "/codec/decode"
JSON: Final = {"content-type": "application/json"}
MIB: Final = 2**20

LARGE = 999
"""Products of one item: as many as an order may have of this one."""
REJECTED = 20
REJECTED_BYTES = 1_000_000
INFLATED_MIB = 300
DEEP_NAMES = 2_500

_EXTERNAL_ID: Final = b"EXTERNAL-ID"
_LISTED: Final = "attacked-lists"
_WAITS_FOR_AN_ORDER_S: Final = 60


@dataclass(frozen=True)
class Shot:
    """One of the attack's requests: what it may use."""

    attack: str
    client: httpx2.AsyncClient
    port: int
    channel: str
    agent: str
    content: bytes
    given: str
    number: int

    async def send(self, method: str, path: str, token: str | None = None, content: bytes | None = None) -> str:
        """Send a request. Gives the status that it was answered by."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        headers |= JSON if content is not None else {}
        try:
            return str((await self.client.request(method, path, headers=headers, content=content)).status_code)
        except httpx2.TransportError:
            return "closed"


Before: TypeAlias = Callable[[httpx2.AsyncClient], Awaitable[str]]


@dataclass(frozen=True)
class Attack:
    """An attack. `at_once` of its requests are under way at any time, each followed by the next.

    What is made `ahead` is not part of what is measured: the content of its requests, and what it needs to be there,
    which `before` has made by a client that may do everything.
    """

    name: str
    title: str
    once: Callable[[Shot], Awaitable[str]]
    at_once: int = 4
    ahead: Callable[[], bytes] = bytes
    before: Before | None = None
    channel: str = "attack"


def _item(number: int, offering: str, quantity: int = 1) -> dict[str, Any]:
    return {
        "id": str(number),
        "action": "add",
        "quantity": quantity,
        "productOffering": {"id": offering},
        "product": {
            "@type": "Product",
            "place": [{"id": "site-1", "role": "installationAddress", "@type": "GeographicAddress"}],
            "productCharacteristic": [{"name": "equipment", "value": "own"}],
        },
    }


def _order(items: list[dict[str, Any]], **more: Any) -> bytes:
    body = {
        "externalId": _EXTERNAL_ID.decode(),
        "relatedParty": [{"id": "cust-attack", "role": "customer", "@referredType": "Customer"}],
        "productOrderItem": items,
        **more,
    }
    return json.dumps(body).encode()


def _named(content: bytes, name: str) -> bytes:
    return content.replace(_EXTERNAL_ID, name.encode())


async def _submit(shot: Shot) -> str:
    return await shot.send("POST", ORDERS, shot.channel, _named(shot.content, f"{shot.attack}-{shot.number}"))


async def _post(client: httpx2.AsyncClient, name: str, content: bytes) -> str:
    answer = await client.post(ORDERS, content=_named(content, name), headers=JSON)
    if answer.status_code != 201:
        raise RuntimeError(f"an order was not taken: {answer.status_code} {answer.text[:500]}")
    return answer.json()["id"]


# Options


async def _large_order(client: httpx2.AsyncClient) -> str:
    """One that waits for its day, so that it is the same all the time."""
    content = _order(
        [_item(1, "fibre-500", LARGE)], channel=[{"id": "attack"}], requestedStartDate="2040-01-01T00:00:00Z"
    )
    order_id = await _post(client, "attack-large", content)
    async with asyncio.timeout(_WAITS_FOR_AN_ORDER_S):
        # Only asking tells when a worker has it.
        while (await client.get(f"/care/v1/orders/{order_id}/tasks")).status_code != 200:  # noqa: ASYNC110
            await asyncio.sleep(0.2)
    return order_id


async def _options(shot: Shot) -> str:
    return await shot.send("GET", f"/care/v1/orders/{shot.given}/options?limit=50", shot.agent)


# Without a token


async def _endless_header(shot: Shot) -> str:
    return await _raw(shot, b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nx-long: ", b"x" * 65_536, 8 * MIB // 65_536)


async def _half_sent(shot: Shot) -> str:
    return await _raw(shot, b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nx-half: ", b"x", 1)


async def _raw(shot: Shot, head: bytes, piece: bytes, pieces: int) -> str:
    """Send the beginning of a request, and wait for what comes of it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", shot.port)
    try:
        answer = b""
        with suppress(ConnectionError):
            writer.write(head)
            for _ in range(pieces):
                writer.write(piece)
                await writer.drain()
            answer = await reader.readline()
        return answer.split()[1].decode() if answer else "closed"
    finally:
        writer.transport.abort()


async def _decode_closed(shot: Shot) -> str:
    return await shot.send("POST", DECODE, content=shot.content)


# The codec


def _bomb() -> bytes:
    """A payload of zeros, made without ever having them."""
    empty = Payload(data=b"\0").SerializeToString()
    deflating = zlib.compressobj(9)
    tag = empty[:1]
    packed = deflating.compress(tag + _varint(INFLATED_MIB * MIB))
    packed += b"".join(deflating.compress(bytes(MIB)) for _ in range(INFLATED_MIB)) + deflating.flush()
    payload = {"metadata": {"encoding": b64encode(ENCODING).decode()}, "data": b64encode(packed).decode()}
    return json.dumps({"payloads": [payload]}).encode()


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


async def _decode(shot: Shot) -> str:
    return await shot.send("POST", DECODE, shot.agent, shot.content)


# Lists


async def _rejected_orders(client: httpx2.AsyncClient) -> str:
    note = [{"text": "x" * REJECTED_BYTES}]
    content = _order([_item(1, "no-such-offering")], channel=[{"id": _LISTED}], note=note)
    for number in range(REJECTED):
        await _post(client, f"attack-rejected-{number}", content)
    return ""


async def _list_ids(shot: Shot) -> str:
    return await shot.send("GET", f"{ORDERS}?limit={REJECTED}&fields=id", shot.channel)


async def _list_whole(shot: Shot) -> str:
    return await shot.send("GET", f"{ORDERS}?limit={REJECTED}", shot.channel)


async def _deep_filter(shot: Shot) -> str:
    path = ".".join("a" * DEEP_NAMES)
    return await shot.send("GET", f"{ORDERS}?{path}=1&b.{path}=2", shot.channel)


async def _allowed_filters(shot: Shot) -> str:
    filters = "&".join(f"note.b{number}.c.d.e.f.g.h=1" for number in range(20))
    return await shot.send("GET", f"{ORDERS}?{filters}", shot.channel)


ATTACKS: Final = {
    attack.name: attack
    for attack in (
        Attack(
            "quantities",
            "an order of 4 items of quantity 1,000",
            _submit,
            ahead=lambda: _order([_item(number, "fibre-500", 1_000) for number in range(4)]),
        ),
        Attack(
            "items",
            "an order of 4,000 items of an unknown offering",
            _submit,
            ahead=lambda: _order([_item(number, "no-such-offering") for number in range(4_000)]),
        ),
        Attack(
            "items-taken",
            "the same of 1,000 items, as many as are taken",
            _submit,
            ahead=lambda: _order([_item(number, "no-such-offering") for number in range(1_000)]),
        ),
        Attack("options", f"options of an item of quantity {LARGE}", _options, before=_large_order),
        Attack("header", "no token: a header of 8 MiB", _endless_header),
        Attack("half-sent", "no token: 50 half-sent requests", _half_sent, at_once=50),
        Attack(
            "closed-codec",
            "no token: 50 bodies of 4 MiB to the closed codec",
            _decode_closed,
            at_once=50,
            ahead=lambda: bytes(4 * MIB),
        ),
        Attack("bomb", f"a payload that inflates to {INFLATED_MIB} MiB", _decode, ahead=_bomb),
        Attack(
            "ids",
            f"ids of {REJECTED} rejected orders of 1 MB each",
            _list_ids,
            before=_rejected_orders,
            channel=_LISTED,
        ),
        Attack(
            "whole", "the same orders, with all that they have", _list_whole, before=_rejected_orders, channel=_LISTED
        ),
        Attack("deep", f"two filters of {DEEP_NAMES:,} names", _deep_filter, before=_rejected_orders, channel=_LISTED),
        Attack(
            "filters",
            "20 filters of 8 names, as many as are taken",
            _allowed_filters,
            before=_rejected_orders,
            channel=_LISTED,
        ),
    )
}
"""By name."""
