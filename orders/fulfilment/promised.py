"""What an order starts with, promised by what is known of durations and hours. No workflow code comes here."""

from __future__ import annotations

from orders.fulfilment.snapshot import OrderStart
from orders.model.catalog import Catalog
from orders.planning.scheduling.promise import promised_at
from orders.promising.figures import Figures, with_figures


def promised(start: OrderStart, catalog: Catalog, figures: Figures) -> OrderStart:
    """The same order with those figures frozen in its plan, and the date promised by them."""
    plan = with_figures(start.plan, start.revision, catalog, figures, start.ordered_at)
    if plan is start.plan or start.waits_for:
        return start
    at = promised_at(start.revision, plan, start.ordered_at)
    return start.model_copy(update={"plan": plan, "promised_at": at})
