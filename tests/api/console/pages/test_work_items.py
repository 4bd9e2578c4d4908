"""Work items in the console: found, claimed, handed over, spoken of, and told as done or not to be done."""

from __future__ import annotations

import re
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from api.access.principal import Scope
from api.care.fallout.work_bodies import FormField
from api.console.pages.work_items import given_back
from api.errors import Malformed
from orders.model import wire_names
from orders.model.values import Verb
from orders.read_model.views import PlanPage
from register import Register
from register.work_items.item import Asked, item_id
from tests.api.console.conftest import Console
from tests.api.console.pages.test_orders import section, text_of
from tests.running.pipe import Pipe, body_of
from tests.workflows.silos.test_manual_silo import NUMBER, begun

FORM = {
    "number": {"required": True, "description": "As on the <permit>"},
    "floors": {"type": "integer", "minimum": 1},
    "lift": {"type": "boolean"},
    "kind": {"values": ["small", "large"]},
}


def asked_for(pipe: Pipe, order_id: str = "", verb: Verb = Verb.PROVISION, **changes: Any) -> str:
    """Have somebody asked for a permit. Gives the address of the work item."""
    order_id = order_id or f"O-{uuid4().hex[:10]}"
    given = {"order_id": order_id, "service": f"{order_id}.1/x/permit/0", "number": 0, "silo": "office"}
    asked = Asked.model_validate({**given, "operation": "permit", "title": "Permit", "form": FORM, **changes})
    with closing(Register(pipe.settings.register_address)) as register:
        register.work_items.ask(verb, asked, datetime.now(UTC))
    return f"/work-items/{item_id(asked.service)}"


async def test_a_work_item_is_claimed_spoken_of_and_told_as_done_by_its_form(pipe: Pipe, console: Console) -> None:
    order_id = await pipe.submit(body_of("future-dated"))
    address = asked_for(pipe, order_id, instructions="Ask the <town> hall", inputs={"street": "Lindenweg"})
    agent = await console.person(Scope.CARE)
    assert f'href="/console{address}"' in await agent.page(f"/work-items?order={order_id}&claimed=false")
    page = await agent.page(address)
    assert "Ask the <town> hall" in section(page, "what")
    assert "street Lindenweg" in section(page, "what")
    assert "As on the <permit>" in text_of(page)
    assert "<town>" not in page
    assert 'name="outputs.number" value="" maxlength="1000"  required' in page
    assert (await agent.post(address, {"do": "claim"})).headers["location"] == f"/console{address}"
    assert (await agent.post(address, {"do": "note", "note": "They open at nine"})).status_code == 303
    page = await agent.page(address)
    assert "agent-7 (" in section(page, "whose")
    assert "agent-7 notes" in section(page, "story")
    assert address in await agent.page("/work-items?claimedBy=agent-7")
    wrong = await agent.post(address, {"do": "done", "outputs.floors": "3"})
    assert wrong.status_code == 400
    assert "outputs.number" in text_of(wrong.text)
    given = {"outputs.number": "0042", "outputs.floors": "3", "outputs.lift": "false", "outputs.kind": '"large"'}
    done = await agent.post(address, {"do": "done", "note": "Easy", **given})
    assert done.headers["location"] == f"/console{address}"
    page = await agent.page(address)
    for told in ("number 0042", "floors 3", "lift no", "kind large"):
        assert told in section(page, "what")
    assert "agent-7 has done it" in section(page, "story")
    assert 'id="done"' not in page
    assert (await agent.post(address, {"do": "claim"})).status_code == 409
    assert address not in await agent.page(f"/work-items?order={order_id}")
    assert address in await agent.page(f"/work-items?order={order_id}&state=done")
    assert (await pipe.change(order_id, kind="cancel", requestId="over"))["state"] in ("accepted", "applied")


async def test_an_order_goes_on_from_what_a_person_has_given_back(pipe: Pipe, console: Console) -> None:
    order_id = await begun(pipe)
    agent = await console.person(Scope.CARE, groups=frozenset(["construction"]))
    found = re.search(r'href="/console(/work-items/[^"?]+)"', await agent.page(f"/work-items?order={order_id}"))
    assert found is not None
    page = await agent.page(found[1])
    assert "Permit to dig at Lindenweg 7, Musterstadt" in text_of(page)
    done = await agent.post(found[1], {"do": "done", "outputs.permit_number": NUMBER["permit_number"]})
    assert done.status_code == 303
    await pipe.outcome(order_id)
    plan = await pipe.ask(order_id, wire_names.PLAN_QUERY, PlanPage, 0, 1000)
    assert NUMBER["permit_number"] in plan.model_dump_json()


async def test_what_cannot_be_done_is_told_with_its_reason(pipe: Pipe, console: Console) -> None:
    order_id = await pipe.submit(body_of("future-dated"))
    address = asked_for(pipe, order_id)
    agent = await console.person(Scope.CARE)
    assert (await agent.post(address, {"do": "refuse"})).status_code == 400
    assert (await agent.post(address, {"do": "refuse", "reason": "A monument", "code": "no"})).status_code == 303
    assert "A monument no" in section(await agent.page(address), "what")
    assert "agent-7 says that it cannot be done" in section(await agent.page(address), "story")
    assert (await pipe.change(order_id, kind="cancel", requestId="over"))["state"] in ("accepted", "applied")


async def test_one_person_has_it_at_a_time_and_gives_it_to_others(pipe: Pipe, console: Console) -> None:
    address = asked_for(pipe, group="permits")
    groups = frozenset(["permits"])
    doer = await console.person(Scope.WORK, name="ada", groups=groups)
    other = await console.person(Scope.WORK, name="zoe", groups=groups)
    page = await doer.page(address)
    assert "data-live" not in page  # The stream tells of orders, which they do not see.
    assert "/console/orders/" not in page
    assert "data-live" not in await doer.page("/work-items")
    assert (await doer.post(address, {"do": "claim"})).status_code == 303
    page = await other.page(address)
    assert "ada" in section(page, "whose")
    for shut in ('value="release"', 'value="handover"', 'id="done"'):
        assert shut not in page
        assert shut in await doer.page(address)
    taken = await other.post(address, {"do": "claim"})
    assert (taken.status_code, "ada has it" in text_of(taken.text)) == (409, True)
    assert (await doer.post(address, {"do": "handover", "note": "Yours"})).status_code == 400
    handed = await doer.post(address, {"do": "handover", "to": "zoe", "note": "Yours"})
    assert handed.headers["location"] == "/console/work-items"
    assert "ada has handed it over → zoe" in section(await other.page(address), "story")
    assert (await other.post(address, {"do": "release"})).status_code == 303
    assert "nobody" in section(await other.page(address), "whose")
    assert (await doer.post(address, {"do": "handover", "group": "others"})).status_code == 303
    assert (await doer.get(address)).status_code == 404


async def test_nobody_sees_the_work_of_other_groups_or_of_customers(pipe: Pipe, console: Console) -> None:
    address = asked_for(pipe, group="permits")
    stranger = await console.person(Scope.WORK, name="ada", groups=frozenset(["others"]))
    assert (await stranger.get(address)).status_code == 404
    assert (await stranger.post(address, {"do": "claim"})).status_code == 404
    assert address not in await stranger.page("/work-items?group=permits")
    customer = await console.person(Scope.WORK, customer="C-1")
    assert (await customer.get("/work-items")).status_code == 403
    assert address in await (await console.person(Scope.OPERATE)).page("/work-items?group=permits")


async def test_what_is_overdue_is_found_and_marked(pipe: Pipe, console: Console) -> None:
    group, now = f"g-{uuid4().hex[:8]}", datetime.now(UTC)
    late = asked_for(pipe, group=group, due_at=now - timedelta(hours=1))
    soon = asked_for(pipe, group=group, due_at=now + timedelta(hours=5))
    operator = await console.person(Scope.OPERATE)
    page = await operator.page(f"/work-items?group={group}")
    assert page.index(late) < page.index(soon)
    assert text_of(page).count("overdue") == 2  # In the filter, and of the late one.
    assert soon not in await operator.page(f"/work-items?group={group}&due=over")
    page = await operator.page(f"/work-items?group={group}&due=day")
    assert late in page
    assert soon in page
    assert 'role="alert"' in await operator.page("/work-items?state=nonsense")


async def test_what_is_undone_is_told_without_its_form(pipe: Pipe, console: Console) -> None:
    order_id = await pipe.submit(body_of("future-dated"))
    agent = await console.person(Scope.CARE)
    address = asked_for(pipe, order_id)
    assert (await agent.post(address, {"do": "done", "outputs.number": "P-1"})).status_code == 303
    assert asked_for(pipe, order_id, Verb.COMPENSATE, number=1) == address
    page = await agent.page(address)
    assert "undo: permit, office" in section(page, "what")
    assert 'id="done"' in page
    assert 'name="outputs.' not in page
    assert (await agent.post(address, {"do": "done"})).status_code == 303
    assert "asks to undo it" in section(await agent.page(address), "story")
    assert 'id="done"' not in await agent.page(address)
    assert (await pipe.change(order_id, kind="cancel", requestId="over"))["state"] in ("accepted", "applied")


@pytest.mark.parametrize("form", [{}, {"do": "explode"}, {"do": "note"}, {"do": "done", "outputs.floors": "many"}])
async def test_what_cannot_be_done_about_a_work_item_is_said(
    pipe: Pipe, console: Console, form: dict[str, str]
) -> None:
    agent = await console.person(Scope.CARE)
    assert (await agent.post(asked_for(pipe), form)).status_code == 400


def test_values_are_given_back_as_their_form_declares_them() -> None:
    plain = {"required": False, "values": None, "minimum": None, "maximum": None, "pattern": None, "description": ""}
    declared = {
        name: FormField.model_validate({**plain, "type": kind, "values": values})
        for name, kind, values in [("a", "string", None), ("b", "integer", None), ("c", "string", ["1", "2"])]
    }
    fields = {"outputs.a": "1", "outputs.b": "1", "outputs.c": '"1"', "outputs.d": "1", "note": "1"}
    assert given_back(fields, declared) == {"a": "1", "b": 1, "c": "1", "d": "1"}
    with pytest.raises(Malformed):
        given_back({"outputs.b": "one"}, declared)
