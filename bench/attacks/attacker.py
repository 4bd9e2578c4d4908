"""`python -m bench.attacks.attacker`: attacks in a process of its own, so that it is not its own victim.

It says `ready` once all is at hand, attacks at once, and says in the end how it was answered.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from itertools import count

import httpx2
from pydantic import BaseModel

from bench.attacks.attack import ATTACKS, Attack, Shot

READY = "ready"
UNANSWERED = "unanswered"


class Order(BaseModel):
    """What the process is to do."""

    attack: str
    port: int
    channel: str
    agent: str
    given: str
    seconds: float


def main() -> None:
    """Read the order from standard input, attack and tell."""
    order = Order.model_validate_json(sys.stdin.readline())
    attack = ATTACKS[order.attack]
    content = attack.ahead()
    print(READY, flush=True)
    print(json.dumps(asyncio.run(_attack(attack, order, content))), flush=True)


async def _attack(attack: Attack, order: Order, content: bytes) -> Counter[str]:
    answers: Counter[str] = Counter()
    numbers = count()
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=None)
    client = httpx2.AsyncClient(base_url=f"http://127.0.0.1:{order.port}", timeout=120, trust_env=False, limits=limits)

    async def again_and_again() -> None:
        while True:
            answers[UNANSWERED] += 1
            shot = Shot(
                attack.name, client, order.port, order.channel, order.agent, content, order.given, next(numbers)
            )
            answers[await attack.once(shot)] += 1
            answers[UNANSWERED] -= 1

    async with client:
        attacking = [asyncio.create_task(again_and_again()) for _ in range(attack.at_once)]
        done, _ = await asyncio.wait(attacking, timeout=order.seconds, return_when=asyncio.FIRST_EXCEPTION)
        for task in attacking:
            task.cancel()
        await asyncio.gather(*attacking, return_exceptions=True)
        for task in done:  # None ends by itself: it has failed.
            task.result()
    return +answers


if __name__ == "__main__":
    main()
