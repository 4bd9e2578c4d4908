"""A record that the register will never take: the order goes on, says so, and does not end until all is told."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from sqlalchemy.exc import DataError, IntegrityError, OperationalError, StatementError
from temporalio.client import WorkflowExecutionStatus
from temporalio.exceptions import ApplicationError

from register.recording.refusals import RECORD_REFUSED, refusals_told
from tests.cases import Case, submitted
from tests.given.households import internet_voice_tv, phone_number
from tests.running.pipe import Pipe, until
from workflows.display import PROBLEM

VISIT = "@site-1/installation/visit-site"


@pytest.mark.parametrize(
    "refusal",
    [
        DataError("insert", {}, ValueError("a NUL of secret-customer")),
        IntegrityError("insert", {}, ValueError("secret-customer")),
        StatementError("secret-customer", "insert", {}, TypeError()),
        UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"),
        KeyError("secret-customer"),
    ],
)
def test_what_is_in_a_record_is_a_refusal_that_tells_no_values(refusal: Exception) -> None:
    with pytest.raises(ApplicationError) as told, refusals_told():
        raise refusal
    assert (told.value.type, told.value.non_retryable) == (RECORD_REFUSED, True)
    assert "secret-customer" not in str(told.value)


@pytest.mark.parametrize("trouble", [OperationalError("insert", {}, ValueError("locked")), ConnectionResetError()])
def test_what_is_the_matter_with_the_database_is_none(trouble: Exception) -> None:
    with pytest.raises(type(trouble)), refusals_told():
        raise trouble


@contextmanager
def refusing(pipe: Pipe, order_id: str) -> Generator[None]:
    """The register takes no record of an order."""
    with closing(sqlite3.connect(pipe.settings.data_dir / "register.db", isolation_level=None, timeout=10)) as register:
        register.execute(
            "CREATE TRIGGER refuse BEFORE INSERT ON orders "
            f"WHEN NEW.id = '{order_id}' BEGIN SELECT RAISE(ABORT, 'never'); END"
        )
        try:
            yield
        finally:
            register.execute("DROP TRIGGER refuse")


async def care(case: Case) -> dict[str, Any]:
    """What the care API tells of the order."""
    return (await case.pipe.http.get(f"{case.pipe.settings.api_address}/care/v1/orders/{case.order}")).json()


async def test_an_order_whose_record_is_refused_goes_on_says_so_and_stays_open_until_it_is_taken(pipe: Pipe) -> None:
    case = await submitted(pipe, internet_voice_tv(phone_number(), equipment="own"), "field-service")
    await case.settles_but(VISIT)
    await pipe.until_recorded(case.order)
    with refusing(pipe, case.order):
        assert (await case.amend({"id": "tv", "offering": "tv-sport"}))["state"] == "accepted"

        async def told() -> bool:
            return bool((await care(case))["problems"])

        await until(told, "the problem to be told")
        assert [problem["code"] for problem in (await care(case))["problems"]] == ["record_refused"]
        assert "IntegrityError" in (await care(case))["problems"][0]["message"]
        described = await pipe.handle(case.order).describe()
        assert described.typed_search_attributes.get(PROBLEM) == "record_refused"
        await case.complete("field-service")

        async def settled() -> bool:
            return (await pipe.view(case.order)).ending

        await until(settled, "the order to be settled")
        assert (await pipe.handle(case.order).describe()).status == WorkflowExecutionStatus.RUNNING
    # The next change that is decided, of whatever kind, has it tried again.
    assert (await case.change("release", "told"))["state"] in ("accepted", "applied")
    assert (await pipe.outcome(case.order)).state == "completed"
    told_order = await care(case)
    assert (told_order["problems"], told_order["state"]) == ([], "completed")
    history = await pipe.http.get(f"{pipe.settings.api_address}/care/v1/orders/{case.order}/history")
    whole = [move for move in history.json()["transitions"] if move["item"] is None and move["milestone"] is None]
    moves = [move["after"] for move in whole]
    assert moves == ["acknowledged", "inProgress", "completed"]
