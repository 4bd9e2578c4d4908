"""`python -m simulated_silos`: the simulated silos on a port."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import logs
from simulated_silos.profiles import ProfileError
from simulated_silos.server import serve
from simulated_silos.store import StoreError


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(prog="python -m silos", description="Simulated silos.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8100, help="0 takes a free one (default: 8100)")
    parser.add_argument("--data-dir", type=Path, default=None, help="keep everything there (default: in memory only)")
    arguments = parser.parse_args()
    logs.configure()
    os.umask(0o077)
    try:
        serve(arguments.host, arguments.port, arguments.data_dir)
    except (OSError, ProfileError, StoreError) as reason:
        sys.exit(f"silos: {reason}")


if __name__ == "__main__":
    main()
