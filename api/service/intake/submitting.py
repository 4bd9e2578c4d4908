"""Submitting: the same external id of a channel with the same body is the same order, whatever is cut short."""

from __future__ import annotations

from dataclasses import dataclass

from api.blocking import run_blocking
from api.errors import ExternalIdReused, OrderDeleted, OrderTooLarge, Unavailable
from api.service.asking import Asking
from api.service.gateway import AlreadyStarted, Gateway
from api.service.intake.starting import Starter
from api.tmf.json_body import Json
from api.tmf.tmf622.request import read_order
from api.tmf.tmf622.resource import told_beside
from api.working import Workshop, in_products
from orders.model.order import OrderRequest
from orders.read_model.records import OrderRecord
from orders.read_model.views import OrderView
from register.submissions import ClaimState, Submissions


@dataclass(frozen=True, slots=True)
class Submission:
    """A submitted order: new, or the one that the same body made before."""

    view: OrderView
    created: bool


class Submitting:
    """Takes orders in. It may raise `Unavailable`, after which the same order may be submitted again."""

    def __init__(
        self, gateway: Gateway, starter: Starter, submissions: Submissions, asking: Asking, workshop: Workshop
    ) -> None:
        self._gateway = gateway
        self._starter = starter
        self._submissions = submissions
        self._asking = asking
        self._workshop = workshop

    async def read(
        self, raw: bytes, external_id: str | None, channel: str | None, customer: str | None
    ) -> tuple[OrderRequest, str]:
        """What a body asks for, and its digest; for the rest see `read_order`.

        Raises:
            Malformed: naming the JSON path of everything that is wrong with it.
            Busy, TooMuchWork: if it cannot be read now, or not in time.
        """
        return await self._workshop.run(in_products(len(raw)), read_order, raw, external_id, channel, customer)

    async def submit(self, request: OrderRequest, body: Json, digest: str) -> Submission:
        """Take an order in, once. `digest` is that of its body.

        It is captured and claimed in the register, and then its workflow is started. Cut short between the two, the
        same submission again goes on from there. One that cannot be fulfilled under the current catalog is rejected:
        it is recorded, and has no workflow.

        Raises:
            ExternalIdReused: if the channel used the external id for another body.
            OrderDeleted: if the order was deleted.
            OrderTooLarge: if it is more than a workflow can be started with.
        """
        claim = _own(request, await run_blocking(self._submissions.look_up, request.order_id, digest))
        if claim is ClaimState.BEGUN or (claim is ClaimState.NOT_BEGUN and await self._has_begun(request, digest)):
            return await self._before(request)
        prepared = await self._starter.prepare(request, body)
        # A register put back from a backup may lack what the order, which is long on its way, has found.
        if prepared.start is None and claim is ClaimState.FREE and await self._has_begun(request, digest):
            return await self._before(request)
        claimed = await run_blocking(self._claim, prepared.record, digest)
        claim = _own(request, claimed)
        if claim is ClaimState.BEGUN:
            return await self._before(request)
        if prepared.start is None:
            await self._starter.give_up(request)
            return Submission(prepared.record.view, created=claim is ClaimState.FREE)
        try:
            await self._starter.start(prepared.start, digest)
        except AlreadyStarted:
            if await self._has_begun(request, digest):
                return await self._before(request)
            raise Unavailable("The order's record is in motion") from None
        except OrderTooLarge:
            await self._starter.give_up(request)
            await run_blocking(self._submissions.withdraw, request.order_id)
            raise
        return Submission(prepared.record.view, created=True)

    def _claim(self, record: OrderRecord, digest: str) -> ClaimState:
        return self._submissions.claim(record, digest, told_beside(record.view.body, record.view))

    async def _has_begun(self, request: OrderRequest, digest: str) -> bool:
        """True if Temporal has the order's workflow: of another submission, or from before a register that was lost.

        Raises:
            ExternalIdReused: if another body began it. What was claimed for this one is given up.
        """
        execution = await self._gateway.describe(request.order_id)
        if execution is not None and execution.body_digest != digest:
            await run_blocking(self._submissions.withdraw, request.order_id)
            raise _reused(request)
        return execution is not None

    async def _before(self, request: OrderRequest) -> Submission:
        """The order as it stands, which the same body made before."""
        return Submission(await self._asking.view(request.order_id, with_body=True), created=False)


def _own(request: OrderRequest, claim: ClaimState) -> ClaimState:
    """A claim that is free, or that of the same body.

    Raises:
        ExternalIdReused, OrderDeleted: if it is another.
    """
    if claim is ClaimState.DELETED:
        raise OrderDeleted(f"External id {request.external_id} is taken", f"Its order {request.order_id} was deleted")
    if claim is ClaimState.OTHER_BODY:
        raise _reused(request)
    return claim


def _reused(request: OrderRequest) -> ExternalIdReused:
    return ExternalIdReused(
        f"External id {request.external_id} is taken",
        f"Channel {request.channel} submitted another order under it: {request.order_id}",
    )
