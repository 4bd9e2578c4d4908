"""Patching: what a patch asks for is worked out from a copy of the order, and asked of that very revision.

Where the order has moved on meanwhile it is worked out anew, unless the patch was made for one revision.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from pydantic import JsonValue

from api.blocking import run_blocking
from api.service.asking import Asking
from api.service.changing import Changing, own_verdict
from api.service.intake.documents import document_digest
from api.tmf.json_body import Json, body_digest, require_sound
from api.tmf.tmf622.ours import has_moved, shown_by
from api.tmf.tmf622.patch import JSON_PATCH, NOTHING_SHOWN, patched, to_change
from api.tmf.tmf622.resource import as_amended, to_resource
from orders.change.request import ChangeRequest, ChangeState, Verdict, fingerprint
from orders.fulfilment.deciding import STALE
from orders.read_model.views import OrderView
from register.recording.documents import Documents

_TRIES: Final = 5
"""So often a patch is worked out, while others change the order in between."""


@dataclass(frozen=True, slots=True)
class Patch:
    """A patch as it was sent, and who asks. With a `key` it is decided once; `for_revision`: it was made for one."""

    media_type: str
    document: JsonValue
    requester: str = ""
    channel: str = ""
    key: str | None = None
    for_revision: bool = False

    @property
    def is_bound(self) -> bool:
        """True where it is not to be worked out anew: also the places in a JSON patch are those of one revision."""
        return self.for_revision or self.media_type == JSON_PATCH

    @property
    def asked_as(self) -> str:
        """The same for the same patch."""
        return body_digest({"patch": self.document, "type": self.media_type})


class NothingAsked(Exception):
    """A patch ends where it began."""


class Patching:
    """Patches of orders. Every method may raise `Unavailable`, after which the same call may be made again."""

    def __init__(self, asking: Asking, changing: Changing, documents: Documents, base_url: str) -> None:
        self._asking = asking
        self._changing = changing
        self._documents = documents
        self._base_url = base_url

    async def patch(self, view: OrderView, patch: Patch) -> Verdict | None:
        """Ask for what a patch makes different about an order, seen with its document. None if it is not decided yet.

        Raises:
            NothingAsked: if that is nothing.
            Malformed, PatchConflict: if it cannot be applied, or asks for what cannot be changed.
            IdempotencyKeyReused: if the key is that of another request.
            OrderTooLarge: if the order would be larger than any may be.
            OrderClosed: if the order has ended.
        """
        asked_as, verdict = await run_blocking(lambda: patch.asked_as), None
        asker = {"requester": patch.requester, "channel": patch.channel, "asked_as": asked_as}
        for request_id in _request_ids(patch.key):
            known = view.verdict_on(request_id)
            if known is not None:
                verdict = own_verdict(known, request_id, fingerprint(patch.requester, patch.channel, asked_as))
            else:
                if verdict is not None:
                    view = await self._asking.view(view.id, with_body=True)
                change = await self._worked_out(view, patch, request_id)
                if change is None:
                    view = await self._asking.as_it_is(view.id)
                    change = await self._worked_out(view, patch, request_id)
                if change is None:
                    raise NothingAsked
                verdict = await self._changing.change(view.id, change.model_copy(update=asker))
            if patch.is_bound or not _is_stale(verdict):
                break
        return verdict

    async def _worked_out(self, view: OrderView, patch: Patch, request_id: str) -> ChangeRequest | None:
        """The change that a patch asks for, of the revision that was seen. What it makes of the document is kept.

        None where it ends where it began.
        """

        def rendered() -> tuple[Json, Json, Json]:
            before = to_resource(view.body, view, self._base_url)
            return as_amended(view.body, view), before, patched(before, patch.media_type, patch.document)

        document, before, after = await run_blocking(rendered)
        # What was shown earlier is looked up where it makes a difference.
        shown = shown_by(await self._asking.moves(view.id)) if has_moved(before, after) else NOTHING_SHOWN
        amendment = await run_blocking(to_change, document, before, after, request_id, shown)
        if amendment is None:
            return None
        if amendment.document is not None:
            await run_blocking(self._keep, view.id, amendment.document)
        return amendment.change.model_copy(update={"expected_revision": view.revision})

    def _keep(self, order_id: str, document: Json) -> None:
        require_sound(document)  # A JSON patch can nest what it copies.
        document_digest(document)
        self._documents.keep(order_id, document, datetime.now(UTC))


def _request_ids(key: str | None) -> Iterator[str]:
    """An id for each try: the first is the key itself, the others are the same each time too."""
    for number in range(_TRIES):
        if key is None:
            yield str(uuid.uuid4())
        else:
            yield str(uuid.uuid5(uuid.NAMESPACE_OID, f"{key} {number}")) if number else key


def _is_stale(verdict: Verdict | None) -> bool:
    """True if a change was refused only for what it was worked out from."""
    if verdict is None or verdict.state is not ChangeState.REJECTED:
        return False
    return any(reason.code == STALE for reason in verdict.reasons)
