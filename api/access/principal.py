"""Who may do what: what a token says about who sends it, and the rules that follow from that.

A route names the one scope that it needs (see `api.http.dependencies`). What goes further than that, such as whose
orders a channel sees, is asked of the `Principal`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from api.errors import Forbidden


class Scope(StrEnum):
    """What a token can allow (OAuth 2 scopes)."""

    SUBMIT = "orders:submit"
    """Submit orders, under one's own channel, and ask for changes of those."""
    READ = "orders:read"
    """Read the orders that one sees, and hear of them."""
    WORK = "work"
    """See and do the work items of one's groups."""
    CARE = "care"
    """Preview and make changes, settle what waits for a person, look at customers; read every order."""
    OPERATE = "operate"
    """Everything."""


_INCLUDED = {Scope.CARE: frozenset({Scope.READ, Scope.WORK}), Scope.OPERATE: frozenset(Scope)}


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller of a request. `name` is the token's subject, or that of the silo.

    `channel` is the channel that it speaks for; `of_customers` says that this sees all orders of its customers.
    `customer` is the one customer that it stands for, if it stands for one only. `groups` are those of people that it
    belongs to: it sees their work items. A silo has no scopes: it reports what
    it did, and nothing else.
    """

    name: str
    scopes: frozenset[Scope] = frozenset()
    channel: str | None = None
    customer: str | None = None
    silo: str | None = None
    of_customers: bool = False
    groups: frozenset[str] = frozenset()

    def may(self, scope: Scope) -> bool:
        """True if it has a scope, or one that includes it."""
        return any(scope is own or scope in _INCLUDED.get(own, ()) for own in self.scopes)

    def require(self, scope: Scope) -> None:
        """Return if it has a scope.

        Raises:
            Forbidden: if not.
        """
        if not self.may(scope):
            raise Forbidden("The token does not allow that", f"It needs the scope {scope}", scope=scope)

    @property
    def sees_every_order(self) -> bool:
        """True for agents and operators. A token of one customer never does."""
        return self.customer is None and self.may(Scope.CARE)

    def owns(self, channel: str) -> bool:
        """True if it may change what was ordered through a channel: that channel itself, agents and operators."""
        return self.channel == channel or self.may(Scope.CARE)

    def channel_for(self, named: str | None) -> str | None:
        """The channel that a request of it comes from, given the one that the request names, if any.

        Raises:
            Forbidden: if that is another than its own, or it has none and may not choose.
        """
        if self.channel is not None:
            if named not in (None, "", self.channel):
                raise Forbidden(
                    f"The token speaks for channel {self.channel}", f"The request comes from channel {named}"
                )
            return self.channel
        if not self.may(Scope.CARE):
            raise Forbidden("The token speaks for no channel", "It needs the claim `channel`")
        return named

    def require_customer(self, customer_id: str) -> None:
        """Return if it may order for a customer.

        Raises:
            Forbidden: if its token is that of another one.
        """
        if self.customer not in (None, customer_id):
            raise Forbidden(f"The token is that of customer {self.customer}", f"The order is one of {customer_id}")

    def requester(self, named: str) -> str:
        """Who is written down as having asked for a change; `named` is on whose behalf, if it says so.

        Where nobody has to show a token, the name given is all that there is.
        """
        if self is ANYBODY:
            return named
        return f"{self.name} (on behalf of {named})" if named and named != self.name else self.name


ANYBODY = Principal("local", frozenset(Scope))
"""Everyone who reaches the API on loopback, where no issuer is configured."""
