"""Steering the simulated silos, and asking them what they hold: their interface below `/_sim`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType

import httpx2
from pydantic import JsonValue, TypeAdapter

from simulated_silos.compare import read_services
from simulated_silos.silo.model import JournalEntry, Service

EVERY_SILO = "*"
_JOURNAL = TypeAdapter(list[JournalEntry])


class Sim:
    """The simulated silos at an address. Every method may raise `httpx2.HTTPError`."""

    def __init__(self, address: str) -> None:
        self._http = httpx2.AsyncClient(base_url=f"{address}/_sim", timeout=30, trust_env=False, verify=False)

    async def __aenter__(self) -> Sim:
        """Nothing is done before the first call."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def services(self, order: str | None = None) -> Mapping[str, Sequence[Service]]:
        """What each silo holds or has pending, of one order or of all."""
        answer = await self._http.get("/services", params=_of(order))
        return read_services(answer.raise_for_status().content)

    async def journal(self, order: str | None = None) -> list[JournalEntry]:
        """Every call that arrived, oldest first."""
        answer = await self._http.get("/journal", params=_of(order))
        return _JOURNAL.validate_json(answer.raise_for_status().content)

    async def fail(self, silo: str, **faults: JsonValue) -> None:
        """Give a silo faults, such as `outage=True`; without any, it is well again."""
        await self._put(f"/{silo}/faults", faults)

    async def pace(self, silo: str, completes_after_ms: int | None) -> None:
        """Set how long the silo's asynchronous work takes from now on; None is until `complete`."""
        await self._put(f"/{silo}/pace", {"completes_after_ms": completes_after_ms})

    async def complete(self, silo: str, match: str) -> int:
        """Have the silo end its pending work on things whose id contains `match` now. Gives how much there was."""
        answer = await self._http.post(f"/{silo}/complete", json={"match": match})
        return int(answer.raise_for_status().json()["completed"])

    async def lose(self, silo: str, service_id: str) -> None:
        """Have a silo lose something that it holds, and tell the order about it."""
        (await self._http.post(f"/{silo}/lose", json={"id": service_id})).raise_for_status()

    async def reset(self) -> None:
        """Empty every silo."""
        (await self._http.post("/reset")).raise_for_status()

    async def _put(self, path: str, body: Mapping[str, JsonValue]) -> None:
        (await self._http.put(path, json=dict(body))).raise_for_status()


def _of(order: str | None) -> dict[str, str]:
    return {"order": order} if order else {}
