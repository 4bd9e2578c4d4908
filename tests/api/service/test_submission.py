"""Orders submitted to the API become workflows, once each, whether or not anyone is at work on them."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

from temporalio.client import Client

from activities.capturing import prepare
from api.service.intake.submission import SUMMARY_BYTES, summary
from api.tmf.json_body import body_digest
from api.tmf.tmf622.request import to_request
from catalog_loader.catalog_files import read_catalog
from orders.fulfilment.order_in_flight import Fulfilment
from orders.fulfilment.snapshot import OrderStart
from orders.model import wire_names
from orders.model.budget import DOCUMENT, ITEMS, START
from orders.model.writing.identifiers import LONGEST_ID
from orders.read_model.records import OrderRecord
from orders.tracking.reporting import order_view
from register import Register
from register.recording.documents import digest_of
from register.submissions import ClaimState
from settings import ROOT
from tests.api.conftest import ORDERS, Door
from tests.api.tmf.tmf_specs import TMF622, spec_problems
from tests.given.households import PLACE, internet_voice_tv, item, order
from tests.running.pipe import body_of


async def decoded(client: Client, payload: Any, kind: type[Any] = str) -> Any:
    return (await client.data_converter.decode([payload], [kind]))[0]


async def started(door: Door, order_id: str) -> OrderStart:
    """What an order's workflow was started with."""
    history = await door.handle(order_id).fetch_history()
    payload = history.events[0].workflow_execution_started_event_attributes.input.payloads[0]
    return await decoded(door.client, payload, OrderStart)


async def test_an_order_is_answered_with_its_resource(door: Door) -> None:
    body = body_of("triple-play")
    response = await door.http.post(ORDERS, json=body)
    resource = response.json()
    assert response.status_code == 201
    assert response.headers["location"] == resource["href"]
    assert resource["href"].endswith(f"{ORDERS}/{resource['id']}")
    assert resource["state"] == "acknowledged"
    assert resource["externalId"] == body["externalId"]


async def test_its_workflow_can_be_found_by_what_matters_about_it(door: Door) -> None:
    order_id = await door.submit(order(item("1", "triple-play-1000"), item("2", "mobile-s"), channel="shop"))
    handle = door.handle(order_id)
    description = await handle.describe()
    found = {pair.key.name: pair.value for pair in description.typed_search_attributes}
    assert description.id == f"order-{order_id}"
    assert description.task_queue == wire_names.ORDERS_QUEUE
    assert found[wire_names.ORDER_STATE] == "inProgress"
    assert found[wire_names.ORDER_REVISION] == 1
    assert found[wire_names.CUSTOMER_ID] == "cust-1"
    assert found[wire_names.CHANNEL] == "shop"
    assert found[wire_names.OFFERINGS] == ["mobile-s", "triple-play-1000"]
    assert found[wire_names.IN_JEOPARDY] is False
    assert found[wire_names.PROMISED_AT] > description.start_time
    assert await description.static_summary() == "mobile-s, triple-play-1000 · shop · 5 items"
    assert f"/care/v1/orders/{order_id}" in (await description.static_details() or "")


def test_the_summary_of_an_order_of_many_offerings_still_fits() -> None:
    catalog = read_catalog(ROOT / "catalog")
    sites = [item(f"net{n}", "fibre-100") for n in range(1)]
    body = order(*sites)
    start = prepare(catalog, to_request(body), datetime.now(UTC))
    many = tuple(
        start.revision.items[0].model_copy(update={"id": f"net{n}", "offering": f"an-offering-with-a-name-{n}"})
        for n in range(40)
    )
    long = start.model_copy(update={"revision": start.revision.model_copy(update={"items": many})})
    assert len(summary(long).encode()) <= SUMMARY_BYTES
    assert summary(long).endswith(" · web · 40 items")


async def test_the_workflow_is_given_the_digest_of_what_was_submitted_and_a_kept_catalog(door: Door) -> None:
    body = internet_voice_tv() | {"note": [{"text": "ring twice"}]}
    order_id = await door.submit(body)
    start = await started(door, order_id)
    assert "ring twice" not in start.model_dump_json()
    with closing(Register(door.settings.register_address)) as register:
        assert register.documents.find(order_id, start.document) == body
    assert (door.settings.catalog_versions / f"{start.catalog}.json").exists()


async def test_the_same_body_again_is_the_same_order(door: Door) -> None:
    body = internet_voice_tv()
    order_id = await door.submit(body)
    again = await door.http.post(ORDERS, json=dict(reversed(body.items())))
    assert again.status_code == 200
    assert again.json()["id"] == order_id
    assert again.json()["state"] == "acknowledged"
    assert [item["id"] for item in again.json()["productOrderItem"]] == ["net", "voice", "tv"]


async def test_of_many_at_once_one_makes_the_order(door: Door) -> None:
    body = internet_voice_tv()
    answers = await asyncio.gather(*(door.http.post(ORDERS, json=body) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_another_body_under_the_same_external_id_is_a_conflict(door: Door) -> None:
    body = internet_voice_tv()
    await door.submit(body)
    response = await door.http.post(ORDERS, json=body | {"description": "changed my mind"})
    assert response.status_code == 409
    assert response.json()["code"] == "external_id_reused"


async def test_the_same_external_id_of_another_channel_is_another_order(door: Door) -> None:
    body = internet_voice_tv()
    assert await door.submit(body) != await door.submit(body | {"channel": [{"id": "shop"}]})


async def test_an_idempotency_key_stands_for_a_missing_external_id(door: Door) -> None:
    body = internet_voice_tv()
    del body["externalId"]
    keyed = {"Idempotency-Key": "key-1"}
    answers = [await door.http.post(ORDERS, json=body, headers=headers) for headers in (keyed, keyed, {}, {})]
    assert [answer.status_code for answer in answers] == [201, 200, 201, 201]
    assert len({answer.json()["id"] for answer in answers}) == 3


async def test_an_order_that_temporal_has_forgotten_is_known_by_the_register(door: Door) -> None:
    body = internet_voice_tv()
    start = prepare(read_catalog(ROOT / "catalog"), to_request(body), datetime.now(UTC)).model_copy(
        update={"document": digest_of(body)}
    )
    view = order_view(Fulfilment(start), start.ordered_at).model_copy(update={"body": body})
    with closing(Register(door.settings.register_address)) as register:
        register.submissions.claim(OrderRecord(version=0, view=view), body_digest(body))
        register.records.record(OrderRecord(version=1, view=view))

    shown = await door.http.get(f"{ORDERS}/{view.id}")
    assert shown.status_code == 200
    assert shown.json()["externalId"] == body["externalId"]
    assert (await door.http.get(f"/care/v1/orders/{view.id}")).json()["id"] == view.id
    assert (await door.http.post(ORDERS, json=body)).status_code == 200
    assert (await door.http.post(ORDERS, json=body | {"description": "x"})).status_code == 409


async def test_a_submission_that_was_cut_short_before_its_workflow_started_is_finished_by_the_next(door: Door) -> None:
    body = internet_voice_tv()
    start = prepare(read_catalog(ROOT / "catalog"), to_request(body), datetime.now(UTC)).model_copy(
        update={"document": digest_of(body)}
    )
    view = order_view(Fulfilment(start), start.ordered_at).model_copy(update={"body": body})
    with closing(Register(door.settings.register_address)) as register:
        assert register.submissions.claim(OrderRecord(version=0, view=view), body_digest(body)) is ClaimState.FREE
    answers = [await door.http.post(ORDERS, json=body) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    assert {answer.json()["id"] for answer in answers} == {view.id}
    assert (await door.describe(view.id)).workflow_execution_info.execution.workflow_id == f"order-{view.id}"


async def test_a_submission_that_was_cut_short_is_rejected_by_the_next_if_it_cannot_be_had_any_more(door: Door) -> None:
    possible, body = internet_voice_tv(), order(item("1", "fibre-9000"))
    start = prepare(read_catalog(ROOT / "catalog"), to_request(possible), datetime.now(UTC))
    order_id, digest = to_request(body).order_id, body_digest(body)
    view = order_view(Fulfilment(start), start.ordered_at).model_copy(update={"id": order_id})
    with closing(Register(door.settings.register_address)) as register:
        register.submissions.claim(OrderRecord(version=0, view=view), digest)
        answer = await door.http.post(ORDERS, json=body)
        assert (answer.status_code, answer.json()["state"]) == (200, "rejected")
        assert register.submissions.look_up(order_id, digest) is ClaimState.BEGUN


async def test_an_order_that_began_before_the_register_was_put_back_is_found_by_its_body_alone(door: Door) -> None:
    body = internet_voice_tv()
    order_id = await door.submit(body)
    other = body | {"description": "changed my mind"}
    with closing(Register(door.settings.register_address)) as register:
        register.submissions.withdraw(order_id)
        refused = await door.http.post(ORDERS, json=other)
        assert (refused.status_code, refused.json()["code"]) == (409, "external_id_reused")
        assert register.submissions.look_up(order_id, body_digest(other)) is ClaimState.FREE
        again = await door.http.post(ORDERS, json=body)
        assert (again.status_code, again.json()["id"]) == (200, order_id)
        # Another body's submission was cut short after its claim.
        register.submissions.withdraw(order_id)
        view = order_view(Fulfilment(await started(door, order_id)), datetime.now(UTC))
        register.submissions.claim(OrderRecord(version=0, view=view), body_digest(other))
        assert (await door.http.post(ORDERS, json=other)).status_code == 409
        assert (await door.http.post(ORDERS, json=body)).status_code == 200


async def test_an_order_of_too_many_products_is_refused_by_a_reason_that_names_limit_and_size(door: Door) -> None:
    body = order(*({**item(f"net-{number}", "fibre-500"), "quantity": 1000} for number in range(4)))
    refused = await door.http.post(ORDERS, json=body)
    assert (refused.status_code, refused.json()["code"]) == (400, "order_too_large")
    assert refused.json()["message"] == "4000 products in one order: at most 2000 are taken"
    with closing(Register(door.settings.register_address)) as register:
        assert register.records.find(to_request(body).order_id) is None


async def test_what_is_wrong_with_a_large_body_is_told_like_with_a_small_one(door: Door) -> None:
    wrong = {**item("1", "fibre-500"), "quantity": "2"}
    for text in ("", "x" * 200_000):
        refused = await door.http.post(ORDERS, json=order(wrong) | {"note": [{"text": text}]})
        assert (refused.status_code, refused.json()["code"]) == (400, "malformed")
        assert [detail["path"] for detail in refused.json()["details"]] == ["productOrderItem[0].quantity"]


async def test_an_order_of_more_items_than_are_taken_is_refused_before_it_is_read(door: Door) -> None:
    refused = await door.http.post(ORDERS, json=order(*(item(f"net-{n}", "fibre-500") for n in range(ITEMS.most + 1))))
    assert (refused.status_code, refused.json()["details"][0]["path"]) == (400, "productOrderItem")


async def test_what_nobody_reads_of_an_order_is_bounded_by_itself(door: Door) -> None:
    body = internet_voice_tv()
    assert await door.submit({**internet_voice_tv(), "attachment": [{"content": secrets.token_hex(START.most)}]})
    refused = await door.http.post(ORDERS, json=body | {"attachment": [{"content": "x" * DOCUMENT.most}]})
    assert (refused.status_code, refused.json()["code"]) == (400, "order_too_large")
    assert str(DOCUMENT.most) in refused.json()["message"]
    assert await door.submit(body)


async def test_an_order_that_is_too_large_for_a_workflow_leaves_its_id_free(door: Door) -> None:
    body, net = order(item("net", "fibre-500")), item("net", "fibre-500")
    long = {**PLACE, "directions": secrets.token_hex(START.most)}  # Which no codec makes small.
    large: dict[str, Any] = body | {"productOrderItem": [{**net, "product": {**net["product"], "place": [long]}}]}
    refused = await door.http.post(ORDERS, json=large)
    assert (refused.status_code, refused.json()["code"]) == (400, "order_too_large")
    assert str(START.most) in refused.json()["message"]
    order_id = to_request(body).order_id
    with closing(Register(door.settings.register_address)) as register:
        assert register.records.find(order_id) is None
        assert register.submissions.look_up(order_id, body_digest(large)) is ClaimState.FREE
    assert await door.submit(body) == order_id


async def test_an_order_on_its_way_is_not_rejected_though_the_register_has_lost_what_it_found(door: Door) -> None:
    install, body = internet_voice_tv(), order()
    start = prepare(read_catalog(ROOT / "catalog"), to_request(install), datetime.now(UTC)).model_copy(
        update={"body": install}
    )
    cease = {"id": "1", "action": "delete", "product": {"id": start.revision.items[0].products[0]}}
    body["productOrderItem"] = [cease]
    name = wire_names.workflow_id(to_request(body).order_id)
    memo = {wire_names.BODY_DIGEST_MEMO: body_digest(body)}
    await door.client.start_workflow(
        wire_names.ORDER_WORKFLOW, start, id=name, task_queue=wire_names.ORDERS_QUEUE, memo=memo
    )
    assert (await door.http.post(ORDERS, json=body)).status_code == 503  # Nobody is at work who could tell of it.
    assert (await door.http.post(ORDERS, json=body | {"description": "x"})).status_code == 409
    with closing(Register(door.settings.register_address)) as register:
        assert register.records.find(to_request(body).order_id) is None


async def test_an_order_that_can_not_be_fulfilled_is_rejected_with_every_reason(door: Door) -> None:
    body = order(item("1", "fibre-9000"), item("2", "voice-line", number="12"), item("3", "tv-basic"))
    body["note"] = [{"text": "ring twice"}]
    response = await door.http.post(ORDERS, json=body)
    assert response.status_code == 201
    rejected = response.json()
    assert (rejected["state"], {item["state"] for item in rejected["productOrderItem"]}) == ("rejected", {"rejected"})
    reasons = {
        (found["code"], *(about["productOrderItemId"] for about in found["productOrderItem"]))
        for found in rejected["productOrderErrorMessage"]
    }
    assert reasons >= {("unknown_offering", "1"), ("bad_characteristic", "2")}
    assert rejected["note"][0] == {"text": "ring twice"}
    assert {note["id"] for note in rejected["note"][1:]} >= {"unknown_offering", "bad_characteristic"}
    assert spec_problems(TMF622, "ProductOrder", rejected) == []


async def test_a_rejected_order_is_an_order_like_any_other_that_has_ended(door: Door) -> None:
    body = order(item("1", "fibre-9000"))
    rejected = (await door.http.post(ORDERS, json=body)).json()
    again = await door.http.post(ORDERS, json=body)
    assert (again.status_code, again.json()) == (200, rejected)
    assert (await door.http.post(ORDERS, json=body | {"description": "x"})).status_code == 409
    assert (await door.http.get(f"{ORDERS}/{rejected['id']}")).json() == rejected
    seen = (await door.http.get(f"/care/v1/orders/{rejected['id']}")).json()
    assert (seen["state"], [reason["code"] for reason in seen["reasons"]]) == ("rejected", ["unknown_offering"])
    late = await door.change(rejected["id"], kind="cancel")
    assert (late.status_code, late.json()["code"]) == (409, "order_closed")


async def test_a_rejected_order_can_be_deleted_and_its_id_stays_taken(door: Door) -> None:
    body = order(item("1", "fibre-9000"))
    order_id = (await door.http.post(ORDERS, json=body)).json()["id"]
    assert (await door.http.delete(f"{ORDERS}/{order_id}")).status_code == 204
    gone = [
        await door.http.get(f"{ORDERS}/{order_id}"),
        await door.http.delete(f"{ORDERS}/{order_id}"),
        await door.http.get(f"/care/v1/orders/{order_id}"),
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in gone] == [(404, "unknown_order")] * 3
    assert (await door.http.get(f"{ORDERS}?id={order_id}")).json() == []
    again = await door.http.post(ORDERS, json=body)
    assert (again.status_code, again.json()["code"]) == (409, "order_deleted")


async def test_changing_what_the_customer_does_not_have_is_rejected(door: Door) -> None:
    cease = {"id": "1", "action": "delete", "product": {"id": "web-1.1.1"}}
    rejected = (await door.http.post(ORDERS, json=order(cease))).json()
    assert rejected["state"] == "rejected"
    assert [found["code"] for found in rejected["productOrderErrorMessage"]] == ["unknown_product"]


async def test_the_components_of_an_item_have_ids_however_long_its_own_is(door: Door) -> None:
    response = await door.http.post(ORDERS, json=order(item("x" * LONGEST_ID, "triple-play-1000")))
    assert (response.status_code, response.json()["state"]) == (201, "acknowledged")
