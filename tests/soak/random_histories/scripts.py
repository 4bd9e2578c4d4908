"""Random scripts, one for each seed: orders of every kind that is sold, and all that may happen to them."""

from __future__ import annotations

from random import Random
from typing import Any, Literal

from orders.change.request import Resolution
from simulated_silos.faults import ANY_OPERATION, Faults, PermanentFault
from tests.soak.hostile.messages import random_hostile
from tests.soak.random_histories import orders as random_orders
from tests.soak.random_histories.followers import random_followers
from tests.soak.random_histories.orders import Sale
from tests.soak.script import Change, Complete, Fail, Json, Lose, Maintain, Mend, Restart, Script, Step

MOST_CHANGES = 5
_AFTER_ALL_ELSE = 10_000
REFUSED = "no"
"""The code of every refusal that a script asks for, but for those that a rule has tried again."""
LATER = "maintenance"

FOLLOWED = 0.5
"""The chance that others follow an order, if it is completed. They are drawn from a generator of their own."""

_WEIGHTS = {
    "amend": 14,
    "cancel": 2,
    "cancelItems": 2,
    "changePriority": 1,
    "changePromise": 1,
    "hold": 1,
    "replace": 2,
    "reschedule": 2,
}
_RETRIES = 0.2
"""In so many histories all that a silo refused is tried again on the way, if there is anything then."""
_MAINTAINED = 0.1
"""In so many histories a silo is in maintenance for a while."""
_ASYNCHRONOUS = ("field-service", "shipping", "trade-in")


def random_script(seed: int, *, restarts: float = 0.05, hostile: bool = False) -> Script:
    """The script of a seed. `restarts` is the chance that a process is started again in it, mostly the worker.

    With `hostile` messages among its steps it is otherwise the same.
    """
    choose, follow = Random(seed), Random(f"followers of {seed}")
    sale = random_orders.random_sale(choose, seed)
    moments = sorted(choose.randint(0, sale.calls + 5) for _ in range(choose.randint(1, MOST_CHANGES)))
    steps: list[Step] = [step for after in moments for step in _changes(choose, sale, after)]
    if choose.random() < 0.6:
        for _ in range(choose.randint(1, 3)):
            steps += _faults(choose, sale)
    for silo in _ASYNCHRONOUS:
        if silo in sale.silos and choose.random() < 0.6:
            steps.append(Complete(after=choose.randint(3, sale.calls), silo=silo, outcome=_outcome(choose)))
    if choose.random() < 0.1:
        steps.append(Lose(after=choose.randint(3, sale.calls), silo=choose.choice(random_orders.KEEPERS)))
    if choose.random() < restarts:
        steps.append(_restart(choose, sale))
    residues = choose.choice(("retry", "retry", "retry", Resolution.KEPT, Resolution.SUNK))
    if any(_makes_a_number_anew(step) for step in steps):
        residues = "retry"  # A number that is left with its silo for good cannot be had from there again.
    again = Random(f"retries of {seed}")
    if again.random() < _RETRIES:
        moment = again.randint(1, sale.calls + 5)
        steps.append(_change(again, moment, {"kind": "retry", "silo": again.choice(sale.silos)}))
    window = Random(f"windows of {seed}")
    if window.random() < _MAINTAINED:
        after, silo = window.randint(0, sale.calls), window.choice(sale.silos)
        steps.append(Maintain(after=after, silo=silo, seconds=window.choice((0.5, 1.0, 2.0))))
    if hostile:
        steps += _attack(Random(f"hostile to {seed}"), sale)
    # Sorting keeps the order of what comes at the same moment: a release stays behind its hold.
    return Script(
        name=f"seed-{seed}",
        order=sale.order,
        steps=tuple(sorted(steps, key=lambda step: step.after)),
        residues=residues,
        by_silo=again.random() < 0.5,
        followers=random_followers(follow, sale.order) if follow.random() < FOLLOWED else (),
        later_restarts=(_restart_later(follow),) if follow.random() < restarts else (),
    )


def _makes_a_number_anew(step: Step) -> bool:
    return isinstance(step, Change) and str(step.body.get("task", "")).endswith("/reserve-number")


def _changes(choose: Random, sale: Sale, after: int) -> list[Step]:
    kind = choose.choices(tuple(_WEIGHTS), weights=tuple(_WEIGHTS.values()))[0]
    match kind:
        case "cancelItems":
            body: Json = {"kind": kind, "items": sale.cancel_items(choose), "cascade": choose.random() < 0.6}
            return [_change(choose, after, body)]
        case "changePriority":
            return [_change(choose, after, {"kind": kind, "priority": choose.randint(0, 4)})]
        case "changePromise":
            promised = f"2031-0{choose.randint(1, 9)}-14T17:00:00Z"
            return [_change(choose, after, {"kind": kind, "promisedAt": promised, "reason": "agreed on the telephone"})]
        case "reschedule":
            return [_change(choose, after, {"kind": kind, **random_orders.dates(choose)})]
        case "cancel":
            return [_change(choose, after, {"kind": "cancel", "reason": "changed their mind"})]
        case "hold":
            until = after + choose.randint(0, 6)
            hold, release = ({"kind": each} for each in ("hold", "release"))
            return [_change(choose, after, hold), Change(after=until, body=release)]
        case "replace":
            return [_change(choose, after, {"kind": "replace", "task": f"{{order}}{choose.choice(sale.tasks())}"})]
        case _:
            return [_change(choose, after, _amendment(choose, sale))]


def _amendment(choose: Random, sale: Sale) -> Json:
    body: Json = {"kind": "amend", "cascade": choose.random() < 0.6}
    for _ in range(choose.choice((1, 1, 2))):
        sale.amend(choose, body)
    return body


def _change(choose: Random, after: int, body: Json) -> Change:
    by: Literal["update", "signal"] = "signal" if choose.random() < 0.3 else "update"
    return Change(after=after, body=body, by=by, pays=choose.random() < 0.5, twice=choose.random() < 0.1)


def _restart(choose: Random, sale: Sale) -> Restart:
    [process] = choose.choices(("worker", "api", "temporal"), weights=(6, 1, 1))
    how = choose.choice(("kill", "stop"))
    return Restart.model_validate({"after": choose.randint(1, sale.calls), "process": process, "how": how})


def _attack(choose: Random, sale: Sale) -> list[Step]:
    """Hostile messages and, as often as not, a cancellation in the end: whatever came, an order can be cancelled."""
    steps: list[Step] = [*random_hostile(choose, sale.calls + 5)]
    if choose.random() < 0.5:
        steps.append(Change(after=_AFTER_ALL_ELSE, body={"kind": "cancel", "reason": "had enough"}, pays=True))
    return steps


def _restart_later(choose: Random) -> Restart:
    return Restart(after=choose.randint(0, 8), process=choose.choice(("worker", "worker", "temporal")))


def _faults(choose: Random, sale: Sale) -> list[Step]:
    """Faults of one silo from some moment on and, more often than not, their end."""
    silo = choose.choice(sale.silos)
    after = choose.randint(0, sale.calls)
    faults = _random_faults(choose, silo)
    steps: list[Step] = [Fail(after=after, silo=silo, faults=faults)]
    if choose.random() < 0.6:
        steps.append(Mend(after=after + choose.randint(1, 10), silo=silo))
    return steps


def _random_faults(choose: Random, silo: str) -> Faults:
    asynchronous = silo in _ASYNCHRONOUS
    kinds = ["errors", "lost answers", "outage", "slow", "refusal"]
    kind = choose.choice([*kinds, "lost callbacks", "doubled callbacks"] if asynchronous else kinds)
    given: dict[str, Any] = {
        "errors": {"error_rate": 0.5},
        "lost answers": {"lose_response_rate": 0.5},
        "outage": {"outage": True},
        "slow": {"latency_ms": choose.choice((50, 200, 600))},
        "refusal": {"permanent": [_later(choose) if silo == "tv" else _refusal(choose)]},
        "lost callbacks": {"drop_callback_rate": 0.6},
        "doubled callbacks": {"duplicate_callback_rate": 0.8},
    }[kind]
    return Faults(seed=choose.randrange(1000), **given)


def _refusal(choose: Random) -> PermanentFault:
    """The refusal of every call, or of a generation's first one, or of a first amendment or compensation."""
    return PermanentFault(operation=ANY_OPERATION, match=choose.choice(("", "/0/0", "/0/1", "/1/0")), code=REFUSED)


def _later(choose: Random) -> PermanentFault:
    """Some calls are to come back after a moment: the catalog has a rule for that, and nobody is needed."""
    return PermanentFault(code=LATER, status=423, retry_after_s=1, times=choose.randint(1, 3))


def _outcome(choose: Random) -> Literal["completed", "failed"]:
    return "failed" if choose.random() < 0.15 else "completed"
