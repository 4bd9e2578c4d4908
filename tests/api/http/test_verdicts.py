"""What a verdict means for an answer."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from api.error_answers import error_response
from api.errors import ChangeRefused
from api.http.verdicts import require_granted
from orders.change.impact import ImpactSummary
from orders.change.request import ChangeKind, ChangeState, Verdict
from orders.model.order import Reason
from orders.model.values import Money
from tests.api.tmf.tmf_specs import TMF622, spec_problems


def refused(*fees: Money) -> Verdict:
    return Verdict(
        request_id="c",
        kind=ChangeKind.AMEND,
        state=ChangeState.REJECTED,
        revision=1,
        reasons=(Reason(code="fee_not_accepted", message="it costs 9.90 EUR", item="tv"),),
        impact=ImpactSummary(fees=fees),
    )


def test_a_change_that_is_refused_for_its_fee_tells_that_as_data() -> None:
    with pytest.raises(ChangeRefused) as caught:
        require_granted(refused(Money(amount=Decimal("9.90"), currency="EUR")))
    body = json.loads(bytes(error_response(caught.value).body))
    assert body["fee"] == [{"unit": "EUR", "value": 9.9}]
    assert spec_problems(TMF622, "Error", body) == []


def test_a_change_that_is_refused_otherwise_tells_of_no_fee() -> None:
    with pytest.raises(ChangeRefused) as caught:
        require_granted(refused())
    assert "fee" not in json.loads(bytes(error_response(caught.value).body))
