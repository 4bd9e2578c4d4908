"""What the care API tells of messages to customers, and takes about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from api.tmf.response_model import ResponseModel
from api.tmf.times import InstantOut
from orders.model.messaging import Language, Medium, Topic
from orders.model.writing.text import Line
from orders.news.message import MessageState
from orders.news.preferences import Email, Phone, Preferences

if TYPE_CHECKING:  # Commands that only ask need no store.
    from register.messages.reading import StoredMessage


class MessageResponse(ResponseModel):
    """A message to the customer of an order: what it says, word for word, once it was written, and what became of it.

    `dueAt` is when it goes out, or went. One that waits may still be replaced by later news, or withdrawn.
    """

    id: str
    order_id: str
    topic: Topic
    state: MessageState
    due_at: InstantOut
    sent_at: InstantOut | None
    attempts: int
    medium: Medium | None
    recipient: str | None
    language: str | None
    title: str | None
    text: str | None
    fate: str


class MessagesResponse(ResponseModel):
    """Messages, in the order in which they came up, or a page of those that failed, the latest first."""

    messages: tuple[MessageResponse, ...]


class BounceBody(BaseModel):
    """That a message has come back: `reason` is what its carrier says."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid")

    reason: Annotated[Line, Field(min_length=1, max_length=300)]


class PreferencesBody(BaseModel):
    """How a customer wants to be told. What is null is left to each order, and then to its channel.

    `medium` none: not at all. `notAbout` are topics that are not wanted.
    """

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")

    medium: Medium | None = None
    language: Language | None = None
    email: Email | None = None
    phone: Phone | None = None
    not_about: tuple[Topic, ...] = ()

    def preferences(self) -> Preferences:
        """As the register keeps them."""
        return Preferences(**{name: getattr(self, name) for name in Preferences.model_fields})


class PreferencesResponse(ResponseModel):
    """The same, as they are kept."""

    customer_id: str
    medium: Medium | None
    language: str | None
    email: str | None
    phone: str | None
    not_about: tuple[Topic, ...]


def told(message: StoredMessage) -> MessageResponse:
    """A message as it is told."""
    sent = message.settled_at if message.state is MessageState.SENT else None
    return MessageResponse(
        id=message.id,
        order_id=message.order_id,
        topic=message.topic,
        state=message.state,
        due_at=message.due_at,
        sent_at=sent,
        attempts=message.attempts,
        medium=message.medium,
        recipient=message.recipient,
        language=message.language,
        title=message.title,
        text=message.text,
        fate=message.fate,
    )
