"""Summaries of activities, for the rows of the Web UI's timeline: what is done, and what was decided just before."""

from __future__ import annotations

import json
from itertools import accumulate
from typing import Final

from orders.fulfilment.order_in_flight import Fulfilment
from orders.tracking.change_words import news_in_short

MOST_BYTES: Final = 360
"""Temporal takes no summary beyond 400 bytes, as it is written in JSON, with what else is in a payload."""


def with_news(order: Fulfilment, summary: str) -> str:
    """A summary, and what was decided since the last one that said so."""
    news = news_in_short(order.change_log.take_news())
    return within(f"{summary} · after {news}" if news else summary)


def within(summary: str) -> str:
    """As much of a summary as Temporal takes."""
    if _size(summary) <= MOST_BYTES:
        return summary
    sizes = list(accumulate(map(_size, summary)))
    return f"{summary[: sum(size <= MOST_BYTES - 3 for size in sizes)]}..."


def _size(text: str) -> int:
    return len(json.dumps(text, ensure_ascii=False).encode()) - len('""')
