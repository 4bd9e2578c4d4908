"""Builders for the loop's tests: operations, tasks and plans in a line each, and a bench that answers calls when told.

Tasks are named by one word. The task `port` has the key `o/s/port` and the operation `s/port`; on the bench its calls
read `provision port/0/0`: verb, name, generation, number of the call.
"""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import JsonValue

from orders.model.catalog import OnChange, Replacement, Undo
from orders.model.plan import Operation, OutputRef, Plan, Task
from orders.model.values import Inputs, Verb
from orders.reconcile.ledger import BuiltOn, Fact, FactId, Ledger, Step, Waiting
from orders.reconcile.outcome import Outcome, OutcomeKind
from orders.reconcile.reconciler import Reconciler
from orders.reconcile.target import TaskStatus

AT = "2026-01-01T00:00:00.000Z"
_PREFIX = "o/s/"


def key_of(name: str) -> str:
    """The task key of a name."""
    return _PREFIX + name


def operation(
    name: str,
    *,
    break_before_make: bool = False,
    undo: Undo = Undo.ALWAYS,
    amend_while_waiting: bool = False,
    replace: Iterable[str] = (),
    keep: Iterable[str] = (),
    exclusive: Iterable[str] = (),
) -> Operation:
    """An operation. Inputs that are neither named nor exclusive are amended; exclusive ones are replaced."""
    exclusive = tuple(exclusive)
    return Operation(
        name=f"s/{name}",
        silo="silo",
        operation="op",
        on_change={**dict.fromkeys((*replace, *exclusive), OnChange.REPLACE), **dict.fromkeys(keep, OnChange.KEEP)},
        replacement=Replacement.BREAK_BEFORE_MAKE if break_before_make else Replacement.MAKE_BEFORE_BREAK,
        undo=undo,
        amend_while_waiting=amend_while_waiting,
        duration_s=1.0,
        exclusive=exclusive,
    )


def task(
    name: str,
    *,
    on: Iterable[str] = (),
    after: Iterable[str] = (),
    release_after: Iterable[str] = (),
    refs: Iterable[str] = (),
    items: tuple[str, ...] = ("1",),
    **inputs: JsonValue,
) -> Task:
    """A task with its inputs. `refs` names tasks whose output becomes the input of the same name."""
    return Task(
        key=key_of(name),
        operation=f"s/{name}",
        items=items,
        products=("p",),
        inputs=inputs,
        refs={other: OutputRef((key_of(other),), "out") for other in refs},
        builds_on=tuple(map(key_of, on)),
        after=tuple(map(key_of, after)),
        release_after=tuple(map(key_of, release_after)),
    )


def plan(*tasks: Task, operations: Iterable[Operation] = ()) -> Plan:
    """A plan of tasks, given in an order in which dependencies come first. Plain operations need not be named."""
    known = {given.name: given for given in operations}
    names = [given.operation.removeprefix("s/") for given in tasks]
    plain = {f"s/{name}": operation(name) for name in names if f"s/{name}" not in known}
    return Plan({given.key: given for given in tasks}, {**plain, **known}, {})


def held(
    name: str, generation: int = 0, *, on: BuiltOn | None = None, waiting: Waiting | None = None, **inputs: JsonValue
) -> Fact:
    """A fact that a silo is known to hold. `on` maps names to generations."""
    return Fact(
        task=key_of(name),
        generation=generation,
        operation=f"s/{name}",
        items=("1",),
        inputs=inputs,
        outputs={"out": f"{name}/{generation}"},
        built_on={key_of(other): number for other, number in (on or {}).items()},
        established=True,
        waiting=waiting,
        since=AT,
    )


def ledger_of(*facts: Fact, operations: Iterable[Operation] = ()) -> Ledger:
    """A ledger of facts, with the operations that they came by."""
    ledger = Ledger()
    for fact in facts:
        ledger.put(fact)
        ledger.next_generation[fact.task] = max(ledger.next_generation.get(fact.task, 0), fact.generation + 1)
        ledger.operations[fact.operation] = operation(fact.operation.removeprefix("s/"))
    ledger.operations.update({given.name: given for given in operations})
    return ledger


def thing(name: str) -> FactId:
    """`port/0`, taken apart."""
    task_name, generation = name.rsplit("/", 1)
    return key_of(task_name), int(generation)


def call_name(step: Step) -> str:
    """`provision port/0/0`."""
    return f"{step.verb} {step.key.removeprefix(_PREFIX)}"


class Bench:
    """A reconciler on the bench: its calls are answered one by one, as the test says."""

    def __init__(self, target: Plan, ledger: Ledger | None = None, most: int = 500) -> None:
        self.reconciler = Reconciler(target, ledger if ledger is not None else Ledger())
        self.most = most
        self.inputs: dict[str, Inputs] = {}
        """What each call carried."""

    def next(self) -> list[str]:
        """The calls that start now."""
        steps = self.reconciler.next_steps(self.most)
        self.inputs.update((call_name(step), step.inputs) for step in steps)
        return [call_name(step) for step in steps]

    def under_way(self) -> list[str]:
        """The calls under way."""
        return [call_name(step) for step in self.reconciler.calls.values()]

    def _end(self, call: str, outcome: Outcome) -> list[str]:
        step = next(step for step in self.reconciler.calls.values() if call_name(step) == call)
        self.reconciler.record(step, outcome, AT)
        return self.next()

    def done(self, call: str, out: JsonValue = None) -> list[str]:
        """The call has had its effect; its output is the thing's name, unless given. What starts then."""
        outputs: Inputs = {}
        if not call.startswith(Verb.COMPENSATE):
            outputs = {"out": out or call.split()[1].rpartition("/")[0]}
        return self._end(call, Outcome(OutcomeKind.DONE, outputs))

    def acknowledged(self, call: str) -> list[str]:
        """The silo took the call; its effect is to come. What starts then."""
        return self._end(call, Outcome(OutcomeKind.ACKNOWLEDGED))

    def refused(self, call: str) -> list[str]:
        """The silo refused the call for good. What starts then."""
        return self._end(call, Outcome(OutcomeKind.REFUSED, code="no", reason="said the silo"))

    def unknown(self, call: str) -> list[str]:
        """The retry budget is spent. What starts then."""
        return self._end(call, Outcome(OutcomeKind.UNKNOWN, code="retry_budget_spent", reason="nobody knows"))

    def lost(self, call: str) -> list[str]:
        """The silo does not know what the call is about. What starts then."""
        return self._end(call, Outcome(OutcomeKind.LOST))

    def callback(self, key: str, kind: OutcomeKind = OutcomeKind.DONE, out: JsonValue = None) -> bool:
        """The answer to the call `port/0/1` comes by callback. True where it says something new."""
        name, number = key.rsplit("/", 1)
        outputs: Inputs = {"out": out or name} if kind is OutcomeKind.DONE else {}
        return self.reconciler.answer(thing(name), int(number), Outcome(kind, outputs, code="no"), AT)

    def lose(self, name: str) -> list[str]:
        """A silo reports that it lost the thing `port/0`. What starts then."""
        self.reconciler.answer(thing(name), 0, Outcome(OutcomeKind.LOST), AT)
        return self.next()

    def target(self, wanted: Plan) -> list[str]:
        """Another plan becomes the target. What starts then."""
        self.reconciler.retarget(wanted)
        return self.next()

    def retry(self, name: str) -> list[str]:
        """A person asks for a refused call of a task to be tried again. What starts then."""
        assert self.reconciler.retry(key_of(name))
        return self.next()

    def run(self) -> list[str]:
        """Every call until nothing is left to start, oldest first, each done when its turn comes."""
        calls = self.under_way() + self.next()
        for call in calls:
            calls += self.done(call)
        return calls

    def status(self, name: str) -> TaskStatus:
        """Where a task of the target stands."""
        return self.reconciler.status[key_of(name)]

    def fact(self, name: str) -> Fact:
        """The fact `port/0`, which must be there."""
        found = self.reconciler.ledger.fact(thing(name))
        assert found is not None, f"{name} is not held"
        return found

    @property
    def holds(self) -> list[str]:
        """Everything in the ledger, as `port/0`."""
        facts = self.reconciler.ledger.all_facts()
        return sorted(f"{fact.task.removeprefix(_PREFIX)}/{fact.generation}" for fact in facts)

    @property
    def settled(self) -> bool:
        """True when the ledger is the target."""
        return self.reconciler.settled
