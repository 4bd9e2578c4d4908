"""Another visit in the console: a slot is chosen from those that are free, previewed and asked for."""

from __future__ import annotations

import html
import re

from api.access.principal import Scope
from tests.api.care.test_appointments import AFTERNOON, DAY, MORNING, done, household, town, waiting
from tests.api.console.conftest import Console
from tests.api.console.pages.test_orders import fields_of, text_of, until_told
from tests.running.pipe import Pipe


def slots_in(page: str) -> dict[str, str]:
    """The slots that a page offers, by how each is shown."""
    [choice] = re.findall(r'<select id="slot-\d+" name="slot".*?</select>', page, re.DOTALL)[:1]
    found = re.findall(r'<option value="([^"]+)">([^<]+)</option>', choice)
    return {html.unescape(shown): html.unescape(value) for value, shown in found}


async def test_an_agent_picks_a_slot_that_is_free_for_another_visit(pipe: Pipe, console: Console) -> None:
    await pipe.sim("PUT", "/field-service/slots", {"number": 1})
    agent, city = await console.person(Scope.CARE), town()
    case = await waiting(pipe, household(city, MORNING))
    near = slots_in(await agent.page(f"/orders/{case.order}/change"))
    assert near
    assert not [slot for slot in near.values() if DAY in slot]  # Those of the next weeks.
    page = await agent.page(f"/orders/{case.order}/change?slotsFrom={DAY}")
    slots = slots_in(page)
    own, other = list(slots)[:2]
    assert "8 May, 08:00–12:00 (1 left)" in own.replace("Thu ", "")  # noqa: RUF001
    assert AFTERNOON["startDateTime"] in slots[other]
    assert "By the clock of Europe/Berlin" in text_of(page)
    assert 'name="start"' not in page
    asked = {"kind": "reschedule", "visitSite": "site-1", "slot": slots[other]}
    preview = await agent.post(f"/orders/{case.order}/change/preview", asked)
    assert "can be had" in text_of(preview.text)
    fields = fields_of(preview.text, f"/console/orders/{case.order}/change")
    assert (await agent.post(f"/orders/{case.order}/change", fields)).status_code == 303
    await until_told(agent, case.order, "changes", "Reschedule")
    told = await pipe.http.get(f"{pipe.settings.api_address}/care/v1/orders/{case.order}")
    assert [each["start"] for each in told.json()["appointments"]] == [AFTERNOON["startDateTime"]]
    await done(case)


async def test_where_slots_are_not_to_be_had_that_is_told_and_any_time_can_be_asked_for(
    pipe: Pipe, console: Console
) -> None:
    agent = await console.person(Scope.CARE)
    case = await waiting(pipe, household(town()))  # No appointment was made.
    await pipe.sim("PUT", "/field-service/slots", {"number": 0})
    page = await agent.page(f"/orders/{case.order}/change?slotsFrom=2031-06-01")
    assert "Nobody can come in the time" in page
    assert 'name="start"' not in page
    await pipe.sim("PUT", "/field-service/faults", {"outage": True})
    page = await agent.page(f"/orders/{case.order}/change")
    assert "The slots cannot be told now" in page
    assert 'name="start"' in page
    await pipe.sim("DELETE", "/field-service/faults")
    await pipe.sim("PUT", "/field-service/slots", {"number": 1})
    await done(case)
