"""A patch is for the revision that it was worked out from: where that has passed it is worked out anew, or refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest_asyncio
from pydantic import JsonValue

from api.service.gateway import Gateway
from api.service.patching import Patch
from api.service.services import Services, services
from api.tmf.links import Links
from api.tmf.tmf622.patch import JSON_PATCH
from api.working import Workshop
from catalog_loader.catalog_files import CatalogStore, read_catalog
from orders.change.request import ChangeRequest, Verdict
from orders.model import wire_names
from orders.read_model.views import OrderView
from register import Register
from settings import ROOT
from tests.given.households import item, order
from tests.running.pipe import Pipe
from tests.steps import held_up, let_go

MERGE_PATCH = "application/merge-patch+json"
SLOW, FASTER = ([{"name": "down_mbps", "value": value}] for value in (200, 500))
TECHNOLOGY = {"name": "technology", "value": "xgs-pon"}


@pytest_asyncio.fixture(loop_scope="session")
async def built(pipe: Pipe) -> AsyncIterator[Services]:
    """The API's services, without routes."""
    links, workshop = Links(pipe.settings.api_address, pipe.settings.web_ui_address, "default"), Workshop(1)
    with closing(workshop), closing(Register(pipe.settings.register_address)) as register:
        versions = CatalogStore(pipe.settings.catalog_versions)
        gateway = Gateway(pipe.client)
        gateway.answer_within = timedelta(seconds=30)  # So that a busy machine decides in time.
        yield services(gateway, read_catalog(ROOT / "catalog"), versions, register, links, workshop)


def characteristics(value: list[dict[str, Any]]) -> dict[str, Any]:
    return {"productOrderItem": [{"id": "net", "product": {"productCharacteristic": value}}]}


async def seen(pipe: Pipe, built: Services) -> OrderView:
    order_id = await held_up(pipe, order(item("net", "fibre-flex", down_mbps=200)))
    return await built.asking.view(order_id, with_body=True)


async def rate_of(pipe: Pipe, order_id: str) -> object:
    return (await pipe.view(order_id)).items[0].characteristics["down_mbps"]


async def test_a_patch_that_takes_away_what_an_old_copy_did_not_have_takes_it_away(pipe: Pipe, built: Services) -> None:
    old = await seen(pipe, built)
    first = await built.patching.patch(old, Patch(MERGE_PATCH, characteristics([*SLOW, TECHNOLOGY])))
    assert first is not None and first.revision == 2
    second = await built.patching.patch(old, Patch(MERGE_PATCH, characteristics(SLOW)))
    assert second is not None
    assert (second.state, second.revision, second.expected_revision) == ("accepted", 3, 2)
    net = (await pipe.view(old.id)).items[0]
    assert net.characteristics["technology"] != TECHNOLOGY["value"]
    await let_go(pipe, old.id)


async def test_a_patch_that_repeats_what_an_old_copy_had_does_not_bring_it_back(pipe: Pipe, built: Services) -> None:
    old = await seen(pipe, built)
    await built.patching.patch(old, Patch(MERGE_PATCH, characteristics(FASTER)))
    await built.patching.patch(old, Patch(MERGE_PATCH, {"description": "b"}))
    assert await rate_of(pipe, old.id) == 500
    assert (await built.asking.view(old.id, with_body=True)).body["description"] == "b"  # pyright: ignore[reportOptionalSubscript]
    await let_go(pipe, old.id)


async def test_a_patch_for_one_revision_is_refused_once_that_has_passed(pipe: Pipe, built: Services) -> None:
    old = await seen(pipe, built)
    await built.patching.patch(old, Patch(MERGE_PATCH, {"description": "b"}))
    places: list[JsonValue] = [{"op": "add", "path": "/description", "value": "c"}]
    for patch in (Patch(MERGE_PATCH, {"description": "c"}, for_revision=True), Patch(JSON_PATCH, places)):
        verdict = await built.patching.patch(old, patch)
        assert verdict is not None
        assert [reason.code for reason in verdict.reasons] == ["stale_revision"]
    assert (await pipe.view(old.id)).revision == 2
    await let_go(pipe, old.id)


async def test_a_patch_with_a_key_that_is_worked_out_anew_is_decided_once_all_the_same(
    pipe: Pipe, built: Services
) -> None:
    old = await seen(pipe, built)
    await built.patching.patch(old, Patch(MERGE_PATCH, {"description": "b"}))
    keyed = Patch(MERGE_PATCH, {"note": [{"text": "c"}]}, key="k" * 100)
    verdicts = [await built.patching.patch(old, keyed)]
    verdicts.append(await built.patching.patch(await built.asking.view(old.id, with_body=True), keyed))
    assert verdicts[0] == verdicts[1] and verdicts[0] is not None and verdicts[0].state == "accepted"
    assert (await pipe.view(old.id)).revision == 3
    await let_go(pipe, old.id)


async def test_patches_at_once_all_count(pipe: Pipe, built: Services) -> None:
    old = await seen(pipe, built)
    wanted = [Patch(MERGE_PATCH, {f"attribute{number}": number}) for number in range(4)]
    await asyncio.gather(*(built.patching.patch(old, patch) for patch in wanted))
    body = (await built.asking.view(old.id, with_body=True)).body or {}
    assert {f"attribute{number}": number for number in range(4)}.items() <= body.items()
    await let_go(pipe, old.id)


async def test_a_change_to_a_document_that_the_register_does_not_have_is_refused(pipe: Pipe, built: Services) -> None:
    old = await seen(pipe, built)
    asked = ChangeRequest.model_validate({"request_id": "d", "kind": "amend", "document": "0" * 64})
    verdict: Verdict = await pipe.handle(old.id).execute_update(
        wire_names.CHANGE_UPDATE, asked, id="d", result_type=Verdict
    )
    assert [reason.code for reason in verdict.reasons] == ["unknown_document"]
    await let_go(pipe, old.id)
