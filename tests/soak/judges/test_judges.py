"""What the judges of random histories take for wrong, and what not."""

from __future__ import annotations

from datetime import timedelta

from orders.change.request import ChangeKind, ChangeState, Verdict
from orders.model.plan import BILLING
from orders.read_model.states import LifecycleState
from simulated_silos.silo.model import Service, ServiceState
from tests.given.registers import NOON, a_view
from tests.soak.counting import Count
from tests.soak.judges.followers import Way, of_installed
from tests.soak.judges.orders import of_promise

_COMPLETED = Way("o-1", (LifecycleState.COMPLETED,))


def test_what_is_made_and_undone_for_nothing_is_counted() -> None:
    count = Count()
    count.begin("provision", "o.1/line/activate/0/0")
    count.begin("compensate", "o.1/line/activate/0/1")
    assert count.flaws == ["o.1/line/activate/0 was provisioned and compensated for nothing"]


def test_what_is_undone_after_a_change_or_a_failure_is_not_for_nothing() -> None:
    count = Count()
    count.begin("provision", "o.1/line/activate/0/0")
    count.anew()
    count.begin("compensate", "o.1/line/activate/0/1")
    count.begin("provision", "o.1/line/activate/1/0")
    assert count.flaws == []


def test_a_call_that_is_made_again_under_its_own_key_is_not_counted_twice() -> None:
    count = Count()
    count.begin("provision", "o.1/line/activate/0/0")
    count.anew()
    count.begin("provision", "o.1/line/activate/0/0")
    count.begin("compensate", "o.1/line/activate/0/1")
    assert count.flaws == []


def test_a_fee_is_not_part_of_what_is_installed() -> None:
    billed = _held(f"o-1.fee-1/{BILLING}", ServiceState.ACTIVE)
    assert list(of_installed([], {"billing": [billed]}, [_COMPLETED], left_alone=())) == []


def test_a_fee_that_is_still_to_be_billed_after_the_end_is_a_flaw() -> None:
    billed = _held(f"o-1.fee-1/{BILLING}", ServiceState.PENDING)
    [flaw] = of_installed([], {"billing": [billed]}, [_COMPLETED], left_alone=())
    assert "is pending, though all orders have ended" in flaw


def test_what_a_silo_holds_of_a_product_that_is_not_installed_is_a_flaw() -> None:
    line = _held("o-1.net.1/fibre-internet/activate-line", ServiceState.ACTIVE)
    [flaw] = of_installed([], {"access": [line]}, [_COMPLETED], left_alone=())
    assert "is not installed" in flaw


def test_what_a_person_has_promised_holds_until_the_customer_chooses_otherwise() -> None:
    applied, later = ChangeState.APPLIED, NOON + timedelta(days=1)
    promised = Verdict(request_id="p", kind=ChangeKind.CHANGE_PROMISE, state=applied, revision=1, promised_at=later)
    chosen = Verdict(request_id="r", kind=ChangeKind.RESCHEDULE, state=applied, revision=2)
    assert list(of_promise(a_view(promised_at=later, changes=(promised,)))) == []
    assert list(of_promise(a_view(promised_at=NOON, changes=(promised, chosen)))) == []
    [flaw] = of_promise(a_view(promised_at=NOON, changes=(chosen, promised)))
    assert flaw.endswith("by p")


def _held(task: str, state: ServiceState) -> Service:
    return Service(
        id=f"{task}/0",
        order="o-1",
        task=task,
        generation=0,
        operation=task.rsplit("/", 1)[-1],
        characteristics={},
        outputs={},
        state=state,
    )
