"""Pictures of all pages of the console: python -m tests.api.console.screenshots FOLDER.

Each in both themes and both widths, with orders that wait for a parcel, need a person, and are done.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from api.access.principal import Principal, Scope
from api.access.sessions import CONSOLE
from api.app import create_app
from orders.read_model.jeopardy import JeopardyCause, JeopardyLevel
from settings import Settings
from tests.api.conftest import shut
from tests.api.console.browser import DESKTOP, PHONE, chromium, tab
from tests.api.console.pages.test_jeopardy import in_danger
from tests.api.console.pages.test_work_items import asked_for
from tests.given.bulks import begin, fallen_out, retry_of, settled, without_workflow
from tests.given.households import internet_voice_tv
from tests.running.pipe import Pipe, body_of, free_port, listening, running_pipe
from tests.steps import held_up
from tests.support import temporal_server

_LOOKS = {
    "wide-light": (DESKTOP, "light", "en-GB"),
    "wide-dark": (DESKTOP, "dark", "de-DE"),
    "phone-light": (PHONE, "light", "de-DE"),
    "phone-dark": (PHONE, "dark", "en-GB"),
}


async def take(folder: Path) -> None:
    """Run a pipe, let it come to something worth a picture, and take them all into a folder that is there."""
    with tempfile.TemporaryDirectory() as data:
        async with temporal_server() as temporal, running_pipe(temporal.client, Path(data)) as pipe:
            orders = await _orders(pipe)
            queues = await _queues(pipe, orders["visit"])
            settings, _ = shut(Settings.model_validate({**pipe.settings.model_dump(), "api_port": free_port()}))
            app = create_app(settings, pipe.client)
            mounted: Any = next(route for route in app.routes if getattr(route, "path", "") == CONSOLE)
            async with listening(app, settings.api_port), chromium() as browser:
                session = await mounted.app.state.sessions.begin(Principal("agent-7", frozenset([Scope.OPERATE])))
                cookie = (mounted.app.state.sessions.cookie, session)
                for look, (size, theme, locale) in _LOOKS.items():
                    given: dict[str, Any] = {"size": size, "color_scheme": theme, "locale": locale}
                    async with tab(browser, settings.api_address, cookie, **given) as opened:
                        for name, path in (_pages(orders) | queues).items():
                            await opened.go(path)
                            await opened.page.screenshot(path=folder / f"{name}-{look}.png", full_page=True)
                        # What a form leads to has no address of its own.
                        await opened.go("/bulk/new?channel=reseller-7&silo=mobile-core&reason=it+is+back")
                        await opened.page.locator("form.stack button").click()
                        await opened.page.locator("#sample").wait_for()
                        await opened.page.screenshot(path=folder / f"bulk-preview-{look}.png", full_page=True)


async def _orders(pipe: Pipe) -> dict[str, str]:
    heard = await pipe.http.post(pipe.api("/hub"), json={"callback": f"{pipe.settings.api_address}/nowhere"})
    assert heard.status_code == 201, heard.text
    await pipe.sim("PUT", "/*/pace", {"completes_after_ms": 0})
    done = await pipe.submit(body_of("mobile"))
    await pipe.outcome(done)
    large = await pipe.submit(body_of("business-vpn"))
    dated = await pipe.submit(body_of("future-dated"))
    parcel = await held_up(pipe, internet_voice_tv(installation="self"))
    await pipe.until_task(parcel, "tv/activate-tv", "done")
    await pipe.until_task(parcel, "delivery/ship-parcel", "awaiting")
    await pipe.sim("PUT", "/tv/faults", {"permanent": [{"operation": "*", "match": "", "code": "no_such_pack"}]})
    refused = await pipe.submit(internet_voice_tv(installation="self"))
    await pipe.until_task(refused, "tv/activate-tv", "fallout")
    await pipe.sim("DELETE", "/tv/faults")
    await pipe.sim("PUT", "/field-service/pace", {"completes_after_ms": None})
    visit = await held_up(pipe, internet_voice_tv())
    for order_id in (parcel, refused, dated, visit):
        await pipe.until_recorded(order_id)
    visits = f"{pipe.settings.api_address}/care/v1/capacities/visits"
    assert (await pipe.http.put(visits, json={"number": 0})).status_code == 200
    return {
        "done": done,
        "large": large,
        "dated": dated,
        "parcel": parcel,
        "refused": refused,
        "visit": visit,
        "subscription": heard.json()["id"],
    }


async def _queues(pipe: Pipe, order_id: str) -> dict[str, str]:
    """Work for people, promises in danger, and jobs: one that is settled, and one that goes on."""
    silo = "field-service"
    sentences = {
        "what": {
            "template": "{title} has taken {silo} longer than it does nine times in ten",
            "values": {"title": "Technician's visit", "silo": silo},
        },
        "helps": {"template": "Ask {silo} what keeps it", "values": {"silo": silo}},
    }
    in_danger(pipe, "C-7", JeopardyLevel.MISSED, JeopardyCause.OVERDUE, silo=silo, **sentences)
    in_danger(pipe, "C-8", JeopardyLevel.AT_RISK, JeopardyCause.HOLD, what={"template": "The order is on hold"})
    due = datetime.now(UTC)
    words = "Ask the town hall for a permit to dig.\nThe form is on their site."
    work = asked_for(
        pipe, order_id, instructions=words, inputs={"street": "Lindenstraße 14"}, due_at=due, group="permits"
    )
    asked_for(pipe, title="Look at the cabinet", due_at=due + timedelta(days=2))
    await fallen_out(pipe, 2, "web-shop")
    without_workflow(pipe.settings.register_address, 4, "web-shop")
    job = await begin(pipe, retry_of("web-shop"))
    await settled(pipe, job["id"])
    without_workflow(pipe.settings.register_address, 30, "reseller-7")
    going = await begin(pipe, retry_of("reseller-7", rate=0.2))
    return {
        "visits": f"/orders/{order_id}/change",
        "jeopardy": "/jeopardy",
        "work-items": "/work-items",
        "work-item": work,
        "bulk": "/bulk",
        "bulk-new": "/bulk/new?silo=tv&code=no_such_pack",
        "bulk-new-orders": "/bulk/new?of=orders&kind=changePriority",
        "bulk-job": f"/bulk/{job['id']}",
        "bulk-job-going": f"/bulk/{going['id']}",
    }


def _pages(orders: dict[str, str]) -> dict[str, str]:
    """Every page by its picture's name."""
    parcel = orders["parcel"]
    return {
        "desk": "/",
        "orders": "/orders",
        "search": "/search?q=cust",
        **{f"order-{name}": f"/orders/{orders[name]}" for name in ("done", "large", "dated", "parcel", "refused")},
        "tasks": f"/orders/{parcel}/timeline",
        "history": f"/orders/{parcel}/history",
        "change": f"/orders/{parcel}/change",
        "preview": f"/orders/{parcel}/change/preview?kind=cancel",
        "fallout": "/fallout",
        "silos": "/silos",
        "silo": "/silos/tv",
        "customer": "/customers/cust-1",
        "customer-done": f"/customers/{body_of('mobile')['relatedParty'][0]['id']}",
        "demand": "/demand",
        "demand-silo": "/demand?silo=field-service",
        "events": "/events",
        "order-more": f"/order?customer={body_of('mobile')['relatedParty'][0]['id']}&offering=voice-line",
        "orders-filtered": "/orders?state=inProgress&waitsFor=parcel",
        "catalog": "/catalog",
        "offering": "/catalog/triple-play-500",
        "subscription": f"/events/{orders['subscription']}",
    }


if __name__ == "__main__":
    to = Path(sys.argv[1])
    to.mkdir(parents=True, exist_ok=True)
    asyncio.run(take(to))
