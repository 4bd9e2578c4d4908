"""Settings, from the environment with the prefix `ORDERPIPE_` or a file `.env`.

Temporal's own variables (`TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, ...) are read by `temporalio.envconfig`; see
`workflows.connection`.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent


class Settings(BaseSettings):
    """Where things are and listen. Every default suits the stack on one machine."""

    model_config = SettingsConfigDict(env_prefix="ORDERPIPE_", env_file=".env", extra="ignore", frozen=True)

    api_host: str = "127.0.0.1"
    api_port: int = 8000
    api_url: str | None = None
    """Where silos send their callbacks, and where links point."""
    silos_port: int = 8100
    silos_url: str | None = None
    """The address below which the catalog's relative silo addresses lie."""
    data_dir: Path = Path(".orderpipe")
    catalog_dir: Path = ROOT / "catalog"
    register_url: str | None = None
    """SQLAlchemy URL of the register; SQLite in the data folder by default."""
    temporal_port: int = 7233
    temporal_ui_port: int = 8233
    temporal_ui_url: str | None = None
    temporal_path: Path | None = None
    """A `temporal` executable to use in place of the one that comes with orderpipe."""

    @cached_property
    def api_address(self) -> str:
        """The API's base address, without a trailing slash."""
        return (self.api_url or f"http://127.0.0.1:{self.api_port}").rstrip("/")

    @cached_property
    def silos_address(self) -> str:
        """The simulated silos' base address, without a trailing slash."""
        return (self.silos_url or f"http://127.0.0.1:{self.silos_port}").rstrip("/")

    @cached_property
    def web_ui_address(self) -> str:
        """The base address of Temporal's Web UI, without a trailing slash."""
        return (self.temporal_ui_url or f"http://127.0.0.1:{self.temporal_ui_port}").rstrip("/")

    @cached_property
    def register_address(self) -> str:
        """The register's SQLAlchemy URL."""
        return self.register_url or f"sqlite:///{self.data_dir.absolute() / 'register.db'}"

    @cached_property
    def catalog_versions(self) -> Path:
        """The folder of catalog versions in use by orders."""
        return self.data_dir / "catalogs"
