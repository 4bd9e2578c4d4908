"""Who tells of an order: its workflow while it goes on, and the register once it is over."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta

import pytest

from api.errors import Unavailable
from api.service.asking import Asking
from api.service.gateway import Gateway
from orders.read_model.states import LifecycleState
from register import Register
from tests.given.households import internet_voice_tv, item, order
from tests.running.pipe import Pipe


async def test_an_order_that_is_over_is_told_without_asking_a_worker(pipe: Pipe) -> None:
    over = await pipe.submit(order(item("1", "mobile-s", sim_type="esim")))
    assert (await pipe.outcome(over)).state == "completed"
    await pipe.sim("PUT", "/field-service/pace", {"completes_after_ms": None})
    goes_on = await pipe.submit(internet_voice_tv())
    await pipe.until_recorded(goes_on)
    with closing(Register(pipe.settings.register_address)) as register:
        gateway = Gateway(pipe.client)
        gateway.answer_within = timedelta(microseconds=1)  # As where no worker answers.
        asking = Asking(gateway, register)
        told = await asking.view(over, with_body=True, live=True)
        assert (told.state, told.body is None) == (LifecycleState.COMPLETED, False)
        assert (await asking.timeline(over, 0, 100)).total > 0
        with pytest.raises(Unavailable):
            await asking.view(goes_on, live=True)
    await pipe.sim("PUT", "/field-service/pace", {"completes_after_ms": 0})
    await pipe.until_task(goes_on, "installation/visit-site", "awaiting")
    await pipe.sim("POST", "/field-service/complete", {"match": goes_on})
    await pipe.outcome(goes_on)
