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
LARGEST_BYTES = 64 * 2**20
"""What one call may restore. Temporal keeps no payload above 2 MiB, and none of ours inflates to thirty times that."""


class CompressingCodec(PayloadCodec):
    """zlib over the whole payload, from `THRESHOLD_BYTES` on. Safe with payloads written without it.

    Anyone may send anything to a workflow. What cannot be restored is for the message's handler to refuse, so it is
    passed on as it came: raised here, it would fail the workflow task. A `strict` codec raises instead.
    """

    def __init__(self, most_bytes: int = LARGEST_BYTES, *, strict: bool = False) -> None:
        self._most_bytes = most_bytes
        self._strict = strict

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Compress what is large."""
        return [_compressed(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Restore what was compressed, and pass everything else through.

        Raises:
            zlib.error, DecodeError: from a strict codec, if it is damaged, or more than is restored at once.
        """
        restored: list[Payload] = []
        left = self._most_bytes
        for payload in payloads:
            restored.append(self._restored(payload, left))
            left -= len(restored[-1].data)
        return restored

    def _restored(self, payload: Payload, most_bytes: int) -> Payload:
        try:
            return _restored(payload, most_bytes)
        except (zlib.error, DecodeError):
            if self._strict:
                raise
            return payload


def _compressed(payload: Payload) -> Payload:
    if payload.ByteSize() < THRESHOLD_BYTES or payload.metadata.get("encoding") == ENCODING:
        return payload
    return Payload(metadata={"encoding": ENCODING}, data=zlib.compress(payload.SerializeToString(), level=6))


def _restored(payload: Payload, most_bytes: int) -> Payload:
    if payload.metadata.get("encoding") != ENCODING:
        return payload
    inflating = zlib.decompressobj()
    content = inflating.decompress(payload.data, max(most_bytes, 1))
    if not inflating.eof:
        del content  # Else it lives as long as the exception, which whoever logs it may keep for a while.
        what = "the payloads are larger than is restored at once" if inflating.unconsumed_tail else "it is incomplete"
        raise zlib.error(what)
    return Payload.FromString(content)
