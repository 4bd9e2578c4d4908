"""`python -m bench.bare.api`: an API for the bare workflow, which is told each report of a silo by a signal of its own.

That is what one writes by hand.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

import logs
from api.app import create_app
from api.server import run
from settings import Settings


def main() -> None:
    """Serve until a signal comes."""
    settings = Settings()
    logs.configure(settings.log_level, as_json=settings.log_format == "json")
    app = create_app(settings)
    inner = app.router.lifespan_context

    @asynccontextmanager
    async def gathering_nothing(app: FastAPI) -> AsyncIterator[None]:
        async with inner(app):
            app.state.provided.services.gathering.moment_s = 0
            yield

    app.router.lifespan_context = gathering_nothing
    run(app, settings.api_host, settings.api_port)


if __name__ == "__main__":
    main()
