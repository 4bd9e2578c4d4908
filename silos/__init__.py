"""Simulated silos: a real HTTP service that provisions nothing, with faults on demand. See `silos/app.py`."""

from silos.app import create_app
from silos.server import serve

__all__ = ["create_app", "serve"]
