"""Simulated silos: a real HTTP service that provisions nothing, with faults on demand. See `simulated_silos/app.py`."""

from simulated_silos.app import create_app
from simulated_silos.server import serve

__all__ = ["create_app", "serve"]
