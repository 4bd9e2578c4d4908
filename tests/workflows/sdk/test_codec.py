"""Payloads are restored as they were, and none without end."""

from __future__ import annotations

import zlib

import pytest
from temporalio.api.common.v1 import Payload

from workflows.sdk.codec import ENCODING, CompressingCodec


async def test_what_is_large_is_restored_as_it_was() -> None:
    codec = CompressingCodec()
    payloads = [Payload(metadata={"encoding": b"json/plain"}, data=b"x" * size) for size in (1, 1_000_000)]
    encoded = await codec.encode(payloads)
    assert encoded[0] == payloads[0]
    assert len(encoded[1].data) < 10_000
    assert await codec.decode(encoded) == payloads


async def test_payloads_that_inflate_to_more_than_is_restored_at_once_are_refused() -> None:
    codec = CompressingCodec(most_bytes=1_500_000, strict=True)
    payload = Payload(metadata={"encoding": b"json/plain"}, data=b"x" * 1_000_000)
    encoded = await codec.encode([payload])
    assert await codec.decode(encoded) == [payload]
    with pytest.raises(zlib.error, match="larger"):
        await codec.decode([*encoded, *encoded])


async def test_a_payload_that_was_cut_is_refused() -> None:
    cut = Payload(metadata={"encoding": ENCODING}, data=zlib.compress(b"x" * 10_000)[:-5])
    with pytest.raises(zlib.error, match="incomplete"):
        await CompressingCodec(strict=True).decode([cut])
