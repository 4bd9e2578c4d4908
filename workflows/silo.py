"""The workflow `silo-<name>`: it keeps the condition of one silo, and puts it in force for all workers together.

Nothing happens in it while the silo is well and no window is planned.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.common import RawValue, RetryPolicy

from orders.health.condition import Condition, SiloState, Stage
from orders.health.messages import Applied, Judged, Steered, SteerSilo, read_failure
from orders.model import wire_names
from orders.model.instants import moment
from workflows.summaries import within

MOST_EVENTS: Final = 1_000
"""In one run."""
ACTIVITY_TAKES: Final = timedelta(seconds=20)
PROBE_TAKES: Final = timedelta(minutes=5)
UNTIL_IT_IS_DONE = RetryPolicy(initial_interval=timedelta(seconds=0.5), maximum_interval=timedelta(seconds=5))


@workflow.defn(name=wire_names.SILO_WORKFLOW)
class SiloWorkflow:
    """One silo, for good. Messages only change what is to be; the main loop alone acts on it."""

    @workflow.init
    def __init__(self, condition: Condition) -> None:
        self._condition = condition
        self._in_force = -1
        self._fails = False

    @workflow.run
    async def run(self, condition: Condition) -> None:
        """Act on what is told, and on time that goes on."""
        while True:
            self._become(self._condition.at(workflow.now()))
            if self._condition.version != self._in_force:
                await self._put_in_force()
            elif self._fails:
                await self._judge()
            elif self._condition.probes_at(workflow.now()):
                await self._probe()
            elif self._is_long() and workflow.all_handlers_finished():
                workflow.continue_as_new(self._condition)
            else:
                await self._news()

    # What comes in

    @workflow.signal(name=wire_names.SILO_FAILS_SIGNAL)
    def fails(self, sent: RawValue) -> None:
        """A worker finds that the silo fails. Anyone may send anything."""
        try:
            told = read_failure(workflow.payload_converter().from_payload(sent.payload))
        except Exception as error:  # Whatever a converter may raise.
            workflow.logger.error("what was told of the silo cannot be read: %s", type(error).__name__)
            return
        self._become(self._condition.under(told.terms))
        self._fails = self._condition.stage is not Stage.OPEN

    @workflow.update(name=wire_names.STEER_UPDATE)
    async def steer(self, asked: SteerSilo) -> Steered:
        """Pause, resume or throttle the silo, open or close a window; answered once that is in force."""
        misfit = self._condition.misfit(workflow.now(), asked.command)
        if not misfit:
            self._become(self._condition.under(asked.terms).steered(workflow.now(), asked.command))
        wanted = self._condition.version
        await workflow.wait_condition(lambda: self._in_force >= wanted)
        return Steered(condition=self._condition, misfit=misfit)

    @steer.validator
    def can_be_steered(self, asked: SteerSilo) -> None:
        """Null comes here as it is."""
        if not isinstance(asked, SteerSilo):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ValueError("nothing is asked for")

    @workflow.query(name=wire_names.CONDITION_QUERY)
    def condition(self) -> Condition:
        """The silo's condition."""
        return self._condition

    # The loop's parts

    def _become(self, condition: Condition) -> None:
        if condition != self._condition:
            self._condition = condition.model_copy(update={"version": self._condition.version + 1})

    async def _put_in_force(self) -> None:
        now, condition = workflow.now(), self._condition
        rate, reason = condition.rate(now), condition.reason(now)
        state = condition.state(now)
        workflow.set_current_details(_details(condition, state, rate, reason))
        await workflow.execute_activity(
            wire_names.APPLY_CONDITION,
            Applied(condition=condition, rate=rate, reason=reason),
            summary=within(f"{state}{f': {reason}' if reason else ''}"),
            start_to_close_timeout=ACTIVITY_TAKES,
            retry_policy=UNTIL_IT_IS_DONE,
        )
        self._in_force = condition.version

    async def _judge(self) -> None:
        """See by what all workers have counted whether the silo is to be left alone."""
        self._fails = False
        breaker = self._condition.terms.breaker
        why: str = await workflow.execute_activity(
            wire_names.JUDGE_SILO,
            Judged(silo=self._condition.silo, breaker=breaker if self._closed else breaker.wary),
            result_type=str,
            start_to_close_timeout=ACTIVITY_TAKES,
            retry_policy=UNTIL_IT_IS_DONE,
        )
        if why and self._condition.stage is not Stage.OPEN:
            self._become(self._condition.opened(workflow.now(), why))

    async def _probe(self) -> None:
        """Look whether the silo is back."""
        error: str = await workflow.execute_activity(
            wire_names.PROBE_SILO,
            self._condition.silo,
            result_type=str,
            summary="is it back?",
            start_to_close_timeout=PROBE_TAKES,
            retry_policy=UNTIL_IT_IS_DONE,
        )
        self._become(self._condition.probed(workflow.now(), error))

    async def _news(self) -> None:
        """Wait for something to be told, or for what is due next."""
        known, now = self._condition.version, workflow.now()
        due = self._condition.next(now)

        def told() -> bool:
            return self._fails or self._condition.version != known or self._is_long()

        if due is None:
            await workflow.wait_condition(told)
            return
        try:
            await workflow.wait_condition(told, timeout=max(due - now, timedelta()), timeout_summary="what is due next")
        except TimeoutError:
            return

    @property
    def _closed(self) -> bool:
        return self._condition.stage is Stage.CLOSED

    def _is_long(self) -> bool:
        run = workflow.info()
        return run.is_continue_as_new_suggested() or run.get_current_history_length() >= MOST_EVENTS


def _details(condition: Condition, state: SiloState, rate: float | None, reason: str) -> str:
    """The condition, for Temporal's Web UI."""
    lines = [f"**{state}** since {moment(condition.since)}", *([reason] if reason else [])]
    calls = "as many as are granted" if rate is None else f"{rate:g} a second"
    lines.append(f"Calls: {calls} ({condition.terms.rate_per_second:g} a second are granted)")
    if condition.stage is Stage.OPEN and condition.due is not None:
        lines.append(f"Looked at {condition.probes} times in vain, again at {moment(condition.due)}")
    for window in condition.windows:
        end = moment(window.end) if window.end is not None else "further notice"
        lines.append(f"- window {window.id}: {moment(window.start)} until {end}{window.words}")
    return "\n\n".join(lines)
