"""Silos whose work people do: each call is a work item in the register, opened, changed or called off.

What people tell of it comes to the order as any silo's report does, from the API.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, TypeVar

from sqlalchemy.exc import DBAPIError

from activities.protocols.protocol import PROBED, Holding, Refused, SiloProtocol, SiloUnavailable
from orders.fulfilment.messages import SiloCall
from orders.model.catalog import Silo
from orders.model.expressions import as_text, fill
from orders.model.silos.manual_silo import ManualSilo
from orders.model.values import Inputs, Verb
from orders.model.writing.text import printable
from orders.read_model.work_state import WorkState
from orders.reconcile.ledger import parse_key
from orders.reconcile.outcome import Outcome
from register.work_items.item import Asked, item_id
from register.work_items.register import WorkItems

NOT_OFFERED: Final = "not_offered"
"""The code of a call that the catalog says nothing of to people."""
_LONGEST_TITLE: Final = 200

_T = TypeVar("_T")


class Manual(SiloProtocol):
    """A silo of people."""

    def __init__(self, silo: Silo, work_items: WorkItems) -> None:
        self._name = silo.name
        self._silo = silo.manual or ManualSilo()
        self._work_items = work_items

    async def provision(self, call: SiloCall) -> Outcome:
        """Open a work item."""
        return await self._ask(Verb.PROVISION, call)

    async def amend(self, call: SiloCall) -> Outcome:
        """Change what a work item asks for, and open it again where it was done."""
        return await self._ask(Verb.AMEND, call)

    async def compensate(self, call: SiloCall) -> Outcome:
        """Have undone what a work item has led to. One that nobody has begun falls away."""
        return await self._ask(Verb.COMPENSATE, call)

    async def inspect(self, call: SiloCall) -> Outcome:
        """See what became of the awaited call."""
        if call.awaited is None:
            return await super().inspect(call)
        _, number = parse_key(call.key)
        awaited = call.awaited
        return await self._register(lambda: self._work_items.became(awaited, call.service, number))

    async def probe(self) -> None:
        """People are there whenever the register is."""
        await self._register(lambda: self._work_items.find(item_id(PROBED)))

    async def held(self, call: SiloCall) -> Holding | None:
        """See whether there is a work item that was done, or is to be."""
        item = await self._register(lambda: self._work_items.find(item_id(call.service)))
        if item is None or item.is_gone or (item.state is WorkState.REFUSED and not item.established):
            return None
        return Holding({**item.inputs, **item.outputs}, active=item.established)

    async def _ask(self, verb: Verb, call: SiloCall) -> Outcome:
        operation = self._silo.operations.get(call.operation)
        if operation is None:
            raise Refused(NOT_OFFERED, f"{self._name} has no operation {call.operation}")
        now = datetime.now(UTC)
        _, number = parse_key(call.key)
        asked = Asked(
            order_id=call.order_id,
            service=call.service,
            number=number,
            silo=self._name,
            operation=call.operation,
            title=printable(_filled(operation.title, call.inputs), _LONGEST_TITLE),
            instructions=_filled(operation.instructions, call.inputs),
            group=self._silo.group_of(operation),
            due_at=now + operation.due if operation.due is not None else None,
            inputs=call.inputs,
            form=operation.outputs,
        )
        return await self._register(lambda: self._work_items.ask(verb, asked, now))

    async def _register(self, do: Callable[[], _T]) -> _T:
        try:
            return await asyncio.to_thread(do)
        except DBAPIError as error:
            raise SiloUnavailable(f"the register does not answer: {type(error).__name__}") from None


def _filled(template: str, inputs: Inputs) -> str:
    return as_text(fill(template, {"input": inputs}))
