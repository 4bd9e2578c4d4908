"""PostgreSQL servers for tests: each in a folder of its own, reached by a socket in it, and gone at the end.

Not pytest-postgresql: it cannot run the server as another user, which root has to, nor kill one and start it again.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from uuid import uuid4

import psycopg
from psycopg.sql import SQL, Identifier

_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    # Nothing here outlives the machine. What a killed process wrote is kept all the same.
    "fsync": "off",
    "full_page_writes": "off",
}


@dataclass(frozen=True)
class PostgresServer:
    """A running server, or one that was killed."""

    programs: Path
    folder: Path

    def url(self, database: str = "postgres") -> str:
        """The SQLAlchemy URL of a database."""
        return f"postgresql+psycopg://orderpipe@/{database}?host={self.folder}"

    def create(self) -> None:
        """Make its folder, and start it."""
        owner = _owner()
        if owner is not None:
            os.chown(self.folder, owner, -1)
        self._run("initdb", "--username=orderpipe", "--auth=trust", "--encoding=UTF8", "--no-sync")
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        settings = {**_SETTINGS, "unix_socket_directories": str(self.folder)}
        options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
        self._run("pg_ctl", "start", "--wait", "--silent", f"--options={options}", f"--log={self.folder / 'log'}")

    def kill(self) -> None:
        """End all of it at once: connections break, and what was not committed is lost."""
        pid = int((self.folder / "data" / "postmaster.pid").read_text().split("\n", 1)[0])
        os.kill(pid, signal.SIGQUIT)
        self._run("pg_ctl", "stop", "--wait", "--silent", check=False)

    def stop(self) -> None:
        """End it, running or not."""
        self._run("pg_ctl", "stop", "--wait", "--silent", "--mode=immediate", check=False)

    def _run(self, program: str, *arguments: str, check: bool = True) -> None:
        command = [self.programs / program, f"--pgdata={self.folder / 'data'}", *arguments]
        # PostgreSQL refuses to run as root.
        done = subprocess.run(command, cwd=self.folder, user=_owner(), stdin=subprocess.DEVNULL, capture_output=True)
        if check and done.returncode != 0:
            raise AssertionError(f"{program} failed: {done.stdout.decode()} {done.stderr.decode()}")


@contextmanager
def postgres_server(programs: Path) -> Iterator[PostgresServer]:
    """A server of one's own."""
    folder = Path(mkdtemp(prefix="orderpipe-postgres-"))
    server = PostgresServer(programs, folder)
    try:
        server.create()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


def find_programs() -> Path | None:
    """The folder of PostgreSQL's server programs, the newest version's, or None where there is none."""
    on_path = shutil.which("initdb")
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    installed = sorted(versions, key=lambda path: int(path.parts[-3]))
    found = installed[-1] if installed else Path(on_path) if on_path else None
    return found.resolve().parent if found else None


@contextmanager
def fresh_database(server: PostgresServer) -> Iterator[str]:
    """The SQLAlchemy URL of an empty database."""
    name = f"test_{uuid4().hex}"
    with closing(psycopg.connect(host=str(server.folder), user="orderpipe", dbname="postgres")) as admin:
        admin.autocommit = True
        admin.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        yield server.url(name)
        admin.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


def _owner() -> int | None:
    return pwd.getpwnam("postgres").pw_uid if os.getuid() == 0 else None
