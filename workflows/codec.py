"""Large payloads are compressed on their way into history; small ones stay readable in Temporal's Web UI.

The API's codec endpoint shows the compressed ones there too.
The SDK has the interface for codecs, and no codec.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from google.protobuf.message import DecodeError
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec

ENCODING = b"binary/zlib"
THRESHOLD_BYTES = 4096


class CompressingCodec(PayloadCodec):
    """zlib over the whole payload, from `THRESHOLD_BYTES` on. Safe with payloads written without it."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Compress what is large."""
        return [_compressed(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Restore what was compressed, and pass everything else through."""
        return [_restored(payload) for payload in payloads]


def _compressed(payload: Payload) -> Payload:
    if payload.ByteSize() < THRESHOLD_BYTES or payload.metadata.get("encoding") == ENCODING:
        return payload
    return Payload(metadata={"encoding": ENCODING}, data=zlib.compress(payload.SerializeToString(), level=6))


def _restored(payload: Payload) -> Payload:
    if payload.metadata.get("encoding") != ENCODING:
        return payload
    try:
        return Payload.FromString(zlib.decompress(payload.data))
    except (zlib.error, DecodeError):
        # Anyone may send anything. What cannot be restored is for the message's handler to refuse: raised here, it
        # would fail the workflow task.
        return payload
