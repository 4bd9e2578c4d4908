"""`orderpipe demand`: what silos will be asked for, as a table, as CSV and for other programs."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from rich.console import Console
from typer.testing import CliRunner

import cli
from ops.client.demand import show_demand
from ops.client.door import Door
from tests.given.households import PLACE, internet_voice_tv
from tests.running.pipe import Pipe

START = (datetime.now(UTC) + timedelta(days=10)).replace(hour=9, minute=0, second=0, microsecond=0)


async def shown(door: Door, city: str, form: str = "table") -> str:
    text = io.StringIO()
    await show_demand(door, {"place": city}, Console(file=text, width=200, color_system=None), form=form)
    return text.getvalue()


async def test_demand_is_shown_in_each_form_with_what_runs_out(door: Door, pipe: Pipe) -> None:
    city = f"Town {uuid4().hex[:8]}"
    assert "Nothing is asked for in these days." in await shown(door, city)
    body: dict[str, Any] = {**internet_voice_tv(), "requestedStartDate": START.isoformat()}
    for item in body["productOrderItem"]:
        item["product"]["place"] = [PLACE | {"city": city}]
    order_id = await pipe.submit(body)
    await pipe.until_recorded(order_id)
    stated = await pipe.http.put(f"{pipe.settings.api_address}/care/v1/capacities/visits", json={"numbers": {city: 0}})
    assert stated.status_code == 200, stated.text
    while "orders are still to be looked at" in (table := await shown(door, city)):
        pass
    told = json.loads(await shown(door, city, "json"))
    [visit_day] = [short["runsOut"] for short in told["shortages"]]
    # The catalog's five working days before a visit, or fewer where orders before this one have taught so.
    assert str(START.date()) <= visit_day <= str((START + timedelta(days=14)).date())
    assert any(line.split()[:6] == [visit_day, "1", "1", "0", "0", "-1"] for line in table.splitlines()), table
    assert f"{visit_day}: Technicians' visits a day and town ({city}) runs out, 1 short" in table
    assert f"field-service,visit,Technicians' visits a day and town,{city},,{visit_day},1," in await shown(
        door, city, "csv"
    )
    await pipe.http.delete(f"{pipe.settings.api_address}/care/v1/capacities/visits")
    await pipe.change(order_id, kind="cancel")
    await pipe.outcome(order_id)


def test_two_forms_at_once_are_refused() -> None:
    told = CliRunner().invoke(cli.app, ["demand", "--csv", "--json"])
    assert told.exit_code != 0
    assert "take one" in told.output
