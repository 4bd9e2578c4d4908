"""Wire names: what other systems, Temporal's Web UI and its CLI know orderpipe's parts by. Changing one breaks them."""

from __future__ import annotations

from typing import Final

from orders.model.values import Verb

ORDER_WORKFLOW: Final = "OrderWorkflow"
ORDERS_QUEUE: Final = "orders"
BULK_WORKFLOW: Final = "BulkWorkflow"

CHANGE_UPDATE: Final = "change"
CHANGE_SIGNAL: Final = "request_change"
SILO_EVENTS_SIGNAL: Final = "silo_events"
TURN_SIGNAL: Final = "turn"
LOOK_SIGNAL: Final = "look"
ORDER_QUERY: Final = "order"
PLAN_QUERY: Final = "plan"
TIMELINE_QUERY: Final = "timeline"
JOURNAL_QUERY: Final = "journal"
FORK_QUERY: Final = "fork"

SILO_WORKFLOW: Final = "SiloWorkflow"
SILO_FAILS_SIGNAL: Final = "fails"
STEER_UPDATE: Final = "steer"
CONDITION_QUERY: Final = "condition"

APPLY_CONDITION: Final = "silos.apply"
JUDGE_SILO: Final = "silos.judge"
PROBE_SILO: Final = "silos.probe"

CAPTURE_ORDER: Final = "orders.capture"
PLAN_REVISION: Final = "orders.plan_revision"
RECORD_ORDER: Final = "orders.record"
ASK_MANY: Final = "bulk.ask"
STOP_ASKING: Final = "bulk.stop"

BODY_DIGEST_MEMO: Final = "BodyDigest"

CALLS_REFUSED: Final = "CallsRefused"
"""The type of failure of an activity whose silo has answered, and has not done all that it was asked for."""

ORDER_STATE: Final = "OrderState"
ORDER_REVISION: Final = "OrderRevision"
EXTERNAL_ID: Final = "ExternalId"
CUSTOMER_ID: Final = "CustomerId"
CHANNEL: Final = "Channel"
OFFERINGS: Final = "Offerings"
WAITS_FOR: Final = "WaitsFor"
FALLOUT_SILOS: Final = "FalloutSilos"
IN_JEOPARDY: Final = "InJeopardy"
JEOPARDY: Final = "Jeopardy"
PROMISED_AT: Final = "PromisedAt"
PROBLEM: Final = "Problem"


def workflow_id(order_id: str) -> str:
    """The workflow that fulfils an order; one id for ever, over all its runs."""
    return f"order-{order_id}"


def order_id(workflow: str) -> str:
    """The order that a workflow fulfils, by the id of that."""
    return workflow.removeprefix("order-")


def silo_workflow_id(silo: str) -> str:
    """The workflow that keeps the condition of a silo."""
    return f"silo-{silo}"


def bulk_workflow_id(job_id: str) -> str:
    """The workflow that asks many orders for the same."""
    return f"bulk-{job_id}"


def silo_queue(silo: str) -> str:
    """The task queue of a silo's activities."""
    return f"silo-{silo}"


def silo_activity(silo: str, verb: Verb) -> str:
    """The activity type of one verb of a silo, as the Web UI shows it."""
    return f"{silo}.{verb}"
