"""What the words of the core are called on pages. `N_` marks them for translation."""

from __future__ import annotations

from typing import Final

from api.console.words import N_
from orders.change.impact import Effect
from orders.change.request import ChangeKind, ChangeState
from orders.health.condition import SiloState, Stage
from orders.model.messaging import Medium, Topic
from orders.model.values import ProductStatus, Verb
from orders.news.message import MessageState
from orders.read_model.answer import WaitsFor
from orders.read_model.fallout import FalloutEnd, FalloutState
from orders.read_model.states import LifecycleState, TaskState
from orders.read_model.views import FeeState
from orders.tracking.what_if.ways import Way

STATES: Final = {
    LifecycleState.ACKNOWLEDGED: N_("accepted"),
    LifecycleState.REJECTED: N_("rejected"),
    LifecycleState.IN_PROGRESS: N_("in progress"),
    LifecycleState.HELD: N_("held"),
    LifecycleState.PENDING: N_("pending"),
    LifecycleState.ASSESSING_CANCELLATION: N_("assessing cancellation"),
    LifecycleState.PENDING_CANCELLATION: N_("being cancelled"),
    LifecycleState.CANCELLED: N_("cancelled"),
    LifecycleState.COMPLETED: N_("done"),
}
"""Of orders and their items."""

STATE_ICONS: Final = {
    LifecycleState.ACKNOWLEDGED: ("clock", "calm"),
    LifecycleState.REJECTED: ("cross", "bad"),
    LifecycleState.IN_PROGRESS: ("play", "busy"),
    LifecycleState.HELD: ("hand", "bad"),
    LifecycleState.PENDING: ("clock", "warn"),
    LifecycleState.ASSESSING_CANCELLATION: ("undo", "warn"),
    LifecycleState.PENDING_CANCELLATION: ("undo", "warn"),
    LifecycleState.CANCELLED: ("cross", "calm"),
    LifecycleState.COMPLETED: ("check", "good"),
}
"""The icon and the colour of each: never the colour alone."""

TASK_STATES: Final = {
    TaskState.PENDING: N_("to come"),
    TaskState.IN_PROGRESS: N_("under way"),
    TaskState.AWAITING: N_("awaited"),
    TaskState.TRIED_AGAIN: N_("tried again later"),
    TaskState.FALLOUT: N_("needs a person"),
    TaskState.DONE: N_("done"),
    TaskState.COMPENSATING: N_("being undone"),
    TaskState.COMPENSATED: N_("undone"),
}

TASK_ICONS: Final = {
    TaskState.PENDING: ("circle", "calm"),
    TaskState.IN_PROGRESS: ("play", "busy"),
    TaskState.AWAITING: ("clock", "busy"),
    TaskState.TRIED_AGAIN: ("clock", "warn"),
    TaskState.FALLOUT: ("hand", "bad"),
    TaskState.DONE: ("check", "good"),
    TaskState.COMPENSATING: ("undo", "warn"),
    TaskState.COMPENSATED: ("undo", "calm"),
}

WAITS_FOR: Final = {
    WaitsFor.SILO: N_("a silo"),
    WaitsFor.VISIT: N_("a visit"),
    WaitsFor.PARCEL: N_("a parcel"),
    WaitsFor.PERSON: N_("a person"),
    WaitsFor.TRY: N_("another try"),
    WaitsFor.HOLD: N_("a release"),
    WaitsFor.PRODUCT: N_("a product"),
    WaitsFor.DATE: N_("a date"),
}

VERBS: Final = {
    Verb.PROVISION: N_("provide"),
    Verb.AMEND: N_("change"),
    Verb.COMPENSATE: N_("undo"),
    Verb.INSPECT: N_("look"),
}

CHANGES: Final = {
    ChangeKind.AMEND: N_("Change"),
    ChangeKind.RESCHEDULE: N_("Reschedule"),
    ChangeKind.CHANGE_PRIORITY: N_("Change the priority"),
    ChangeKind.CHANGE_PROMISE: N_("Change the promise"),
    ChangeKind.CANCEL_ITEMS: N_("Cancel items"),
    ChangeKind.CANCEL: N_("Cancel the order"),
    ChangeKind.REPLACE: N_("Replace"),
    ChangeKind.HOLD: N_("Hold"),
    ChangeKind.RELEASE: N_("Release"),
    ChangeKind.RETRY: N_("Try again"),
    ChangeKind.RESOLVE: N_("Settle by hand"),
}

VERDICTS: Final = {
    ChangeState.ACCEPTED: N_("accepted"),
    ChangeState.APPLIED: N_("carried out"),
    ChangeState.REJECTED: N_("rejected"),
    ChangeState.ASSESSING: N_("being assessed"),
    ChangeState.SUPERSEDED: N_("superseded"),
}

VERDICT_ICONS: Final = {
    ChangeState.ACCEPTED: ("check", "good"),
    ChangeState.APPLIED: ("check", "good"),
    ChangeState.REJECTED: ("cross", "bad"),
    ChangeState.ASSESSING: ("clock", "warn"),
    ChangeState.SUPERSEDED: ("cross", "calm"),
}

EFFECTS: Final = {
    Effect.KEPT: N_("stays"),
    Effect.PLANNED: N_("planned otherwise"),
    Effect.ADDED: N_("is added"),
    Effect.AMENDED: N_("is changed"),
    Effect.REPLACED: N_("is replaced"),
    Effect.COMPENSATED: N_("is undone"),
    Effect.DROPPED: N_("is dropped"),
}

EFFECT_ICONS: Final = {
    Effect.KEPT: ("check", "calm"),
    Effect.PLANNED: ("pencil", "calm"),
    Effect.ADDED: ("play", "busy"),
    Effect.AMENDED: ("pencil", "busy"),
    Effect.REPLACED: ("undo", "warn"),
    Effect.COMPENSATED: ("undo", "warn"),
    Effect.DROPPED: ("cross", "calm"),
}

SILO_STATES: Final = {
    SiloState.CLOSED: N_("is called"),
    SiloState.OPEN: N_("is left alone"),
    SiloState.HALF_OPEN: N_("is looked at"),
    SiloState.PAUSED: N_("paused"),
    SiloState.WINDOW: N_("in maintenance"),
}

SILO_ICONS: Final = {
    SiloState.CLOSED: ("check", "good"),
    SiloState.OPEN: ("cross", "bad"),
    SiloState.HALF_OPEN: ("clock", "warn"),
    SiloState.PAUSED: ("pause", "warn"),
    SiloState.WINDOW: ("pause", "calm"),
}

FEES: Final = {
    FeeState.PENDING: N_("to be billed"),
    FeeState.BILLED: N_("billed"),
    FeeState.NOT_OWED: N_("not owed"),
}

FALLOUT: Final = {
    FalloutState.WAITING: N_("needs a person"),
    FalloutState.UNDER_WAY: N_("under way"),
    FalloutState.OVER: N_("over"),
}

FALLOUT_ICONS: Final = {
    FalloutState.WAITING: ("hand", "bad"),
    FalloutState.UNDER_WAY: ("play", "busy"),
    FalloutState.OVER: ("check", "good"),
}

FALLOUT_ENDS: Final = {
    FalloutEnd.RETRIED: N_("tried again"),
    FalloutEnd.RESOLVED: N_("settled by hand"),
    FalloutEnd.WAIVED: N_("done without"),
    FalloutEnd.AMENDED: N_("the order was changed"),
    FalloutEnd.CANCELLED: N_("cancelled"),
    FalloutEnd.ANSWERED: N_("the silo has done it after all"),
    FalloutEnd.UNKNOWN: N_("nobody wrote down how"),
}

WAYS_OUT: Final = {
    Way.RETRY: N_("Try again"),
    Way.OTHER_INPUT: N_("Try again with other values"),
    Way.DONE: N_("Done by hand"),
    Way.WAIVED: N_("Done without"),
    Way.KEPT: N_("Written off: kept"),
    Way.SUNK: N_("Written off: lost"),
}

WAYS_OUT_MEAN: Final = {
    Way.RETRY: N_("The silo is called once more, with its whole retry budget."),
    Way.OTHER_INPUT: N_("The silo is called once more, for this once with what you fill in."),
    Way.DONE: N_("Somebody has done at the silo what it refused, and the order goes on from there."),
    Way.WAIVED: N_("Nobody does it, and the order goes on without."),
    Way.KEPT: N_("What the silo did not take back stays with the customer."),
    Way.SUNK: N_("What the silo did not take back is lost."),
}

TOPICS: Final = {
    Topic.RECEIVED: N_("The order was received"),
    Topic.DATE: N_("The date has moved"),
    Topic.VISIT: N_("A visit"),
    Topic.VISIT_REMINDER: N_("A visit is tomorrow"),
    Topic.SHIPPED: N_("A parcel is on its way"),
    Topic.ACTIVE: N_("Something is active"),
    Topic.NEEDS_YOU: N_("An answer is needed"),
    Topic.CANCELLED: N_("It was cancelled"),
    Topic.REJECTED: N_("It was rejected"),
    Topic.DONE: N_("All is done"),
}
"""What customers are told of."""

MESSAGE_STATES: Final = {
    MessageState.WAITING: N_("is to be sent"),
    MessageState.SENDING: N_("is being sent"),
    MessageState.SENT: N_("was sent"),
    MessageState.WITHDRAWN: N_("was not sent: it was not so any more"),
    MessageState.UNWANTED: N_("was not sent: not wanted, or no address"),
    MessageState.FAILED: N_("could not be delivered"),
}

STORIES: Final = {
    "claimed": N_("sees to it"),
    "handedOver": N_("has handed it over"),
    "released": N_("has let others have it"),
    "noted": N_("notes"),
}
"""What people do with fallout and work items."""

BREAKER: Final = {
    Stage.CLOSED: N_("lets calls through"),
    Stage.OPEN: N_("keeps calls back"),
    Stage.HALF_OPEN: N_("tries a few calls"),
}

PRODUCT_STATES: Final = {
    ProductStatus.CREATED: N_("ordered"),
    ProductStatus.PENDING_ACTIVE: N_("on its way"),
    ProductStatus.ACTIVE: N_("active"),
    ProductStatus.SUSPENDED: N_("suspended"),
    ProductStatus.PENDING_TERMINATE: N_("being ended"),
    ProductStatus.TERMINATED: N_("ended"),
    ProductStatus.CANCELLED: N_("cancelled"),
}

PRODUCT_ICONS: Final = {
    ProductStatus.CREATED: ("clock", "calm"),
    ProductStatus.PENDING_ACTIVE: ("play", "busy"),
    ProductStatus.ACTIVE: ("check", "good"),
    ProductStatus.SUSPENDED: ("pause", "warn"),
    ProductStatus.PENDING_TERMINATE: ("undo", "warn"),
    ProductStatus.TERMINATED: ("cross", "calm"),
    ProductStatus.CANCELLED: ("cross", "calm"),
}

MEDIA: Final = {
    Medium.EMAIL: N_("e-mail"),
    Medium.SMS: N_("text message"),
    Medium.SYSTEM: N_("the system for messages"),
    Medium.NONE: N_("not at all"),
}
