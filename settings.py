"""Settings, from the environment with the prefix `ORDERPIPE_` or a file `.env`.

Temporal's own variables (`TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, ...) are read by `temporalio.envconfig`; see
`workflows.sdk.connection`.
"""

from __future__ import annotations

import stat
from datetime import timedelta
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    SecretStr,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent
VERSION = version("orderpipe")
"""Of what is installed; pyproject.toml says it."""

_PREFIX = "ORDERPIPE_"
PRIVATE_UMASK = 0o077
"""Of every process: what it writes is its owner's alone."""


class SettingsError(Exception):
    """Settings that cannot be meant: names each variable, and what is wrong with it."""


def _web_address(value: str) -> str:
    if urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).hostname:
        raise ValueError("must be a URL that begins with http:// or https://")
    return value


def _database(value: str) -> str:
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        make_url(value).get_dialect().import_dbapi()
    except (ArgumentError, ImportError) as error:  # Told without the URL: there may be a password in it.
        raise ValueError("must be a SQLAlchemy URL such as postgresql+psycopg://user:password@host/name") from error
    return value


_Port = Annotated[int, Field(ge=0, le=65535)]
_WebAddress = Annotated[str, AfterValidator(_web_address)]
_Address = Annotated[str, Field(pattern=r"^[^:/\s]+:\d{1,5}$")]

_Secrets = Annotated[
    tuple[Annotated[str, Field(min_length=16)], ...],
    Field(min_length=1),
    BeforeValidator(lambda value: (value,) if isinstance(value, str) else value),
]
_SILO_SECRETS = TypeAdapter(dict[str, _Secrets])


class ConsoleLogin(BaseModel):
    """How people log in to the console: the address of the issuer's OpenID Connect metadata, and who we are there."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    metadata: _WebAddress
    client_id: Annotated[str, Field(min_length=1)]
    client_secret: Annotated[str, Field(min_length=16)]
    scope: str | None = None
    """What is asked for; by default `openid` and all scopes that there are."""


_SILO_LOGINS = TypeAdapter(dict[str, Annotated[str, Field(pattern=r"^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$")]])


class Settings(BaseSettings):
    """Where things are and listen. Every default suits the stack on one machine."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, env_file=".env", extra="ignore", frozen=True)

    api_host: str = "127.0.0.1"
    api_port: _Port = 8000
    api_names: str = ""
    """Names, `orders.example,10.0.0.7`, by which the API is reached, beside its URL's and this machine's."""
    api_url: _WebAddress | None = None
    """Where silos send their callbacks, and where links point."""
    silos_port: _Port = 8100
    silos_url: _WebAddress | None = None
    """The address below which the catalog's relative silo addresses lie."""
    data_dir: Path = Path(".orderpipe")
    catalog_dir: Path = ROOT / "catalog"
    register_url: Annotated[str, AfterValidator(_database)] | None = None
    """SQLAlchemy URL of the register; SQLite in the data folder by default."""
    auth_issuer: str | None = None
    """Whose tokens the API takes: their `iss`. Without it everybody may do everything, on loopback only."""
    auth_audience: str = "orderpipe"
    """The `aud` that tokens must have."""
    auth_jwks: str | None = None
    """The issuer's public keys, a JSON Web Key Set (RFC 7517): its URL, or a file."""
    silo_secrets: Path | None = None
    """A JSON file with the bearer token, or several, by which each silo reports: `{"tv": "..."}`."""
    silo_logins: Path | None = None
    """A JSON file with what workers show to silos, by the name that the catalog gives it: `{"pbx": "..."}`."""
    console_login: Path | None = None
    """A JSON file with how people log in to the console: see `ConsoleLogin`."""
    channels_see_customers: str = ""
    """Channels, `web,shop`, that see all orders of their customers: by default a channel sees its own orders."""
    codec_open: bool = False
    """Decode payloads for Temporal's Web UI without a token; only where the API listens on loopback."""
    max_body_bytes: int = Field(default=4 * 2**20, gt=0)
    """The longest request body that the API reads: room for the largest payload that Temporal keeps, in base64."""
    rate_per_second: float = Field(default=200, gt=0)
    """Requests that the API takes from one caller, each second on average; a burst is ten seconds' worth."""
    planning_processes: int = Field(default=1, ge=1, le=64)
    """Processes beside the API's own that plan large orders and changes of them."""
    callbacks_allow_internal: bool = False
    """Send events to any address that a subscriber names: internal ones too, and without TLS."""
    deliveries_kept_days: float = Field(default=7, ge=0, le=36500)
    """How long the register remembers that a subscriber has got an event."""
    mail_server: _Address | None = None
    """Where mails to customers are handed over by SMTP: host and port. Without it they are written to a folder."""
    mail_tls: Literal["tls", "starttls", "none"] = "starttls"
    """How the mail server is spoken to: by TLS from the start, or begun by STARTTLS, or in the clear."""
    mail_user: str | None = None
    """As whom mails are handed over, if the server wants to know."""
    mail_password: Path | None = None
    """A file with the password for the mail server."""
    mail_folder: Path | None = None
    """Where mails are written without a mail server; `mail` in the data folder by default."""
    message_system: Path | None = None
    """A JSON file with the operator's own system for messages (TMF681): see `api.messages.communication`."""
    sms_gateway: Path | None = None
    """A JSON file with what takes texts to phones, and how: see `api.messages.texts`."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The lowest level of what every process logs."""
    log_format: Literal["text", "json"] = "text"
    """Lines for people, or a JSON object each."""
    metrics_address: _Address | None = None
    """Where a worker serves its metrics for Prometheus: host and port."""
    api_metrics_address: _Address | None = None
    """Where an API serves its metrics for Prometheus: host and port."""
    issuer_port: _Port = 8300
    """Where the development issuer of the stack on one machine has its login."""
    temporal_port: _Port = 7233
    temporal_ui_port: _Port = 8233
    temporal_ui_url: _WebAddress | None = None
    temporal_path: Path | None = None
    """A `temporal` executable to use in place of the one that comes with orderpipe."""

    @model_validator(mode="wrap")
    @classmethod
    def _told_by_variable(cls, values: object, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Name the variables that are wrong, in one line and without their values: some are secret."""
        try:
            return handler(values)
        except ValidationError as error:
            found = (f"{_variable(detail['loc'])}: {_reason(detail['msg'])}" for detail in error.errors())
            raise SettingsError("; ".join(found)) from None

    def shut_data_dir(self) -> bool:
        """Have the data folder its owner's alone, if it is there. False where it cannot be, being somebody else's.

        With the umask of every process, what comes into it is the owner's alone too.
        """
        try:
            mode = self.data_dir.stat().st_mode
            if mode & stat.S_ISVTX:  # Such as /tmp, which is everybody's.
                return False
            if mode & PRIVATE_UMASK:
                self.data_dir.chmod(mode & ~PRIVATE_UMASK & 0o777)
        except FileNotFoundError:
            return True
        except PermissionError:
            return False
        return True

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
    def channels_of_customers(self) -> frozenset[str]:
        """The channels that see all orders of their customers."""
        return frozenset(_named(self.channels_see_customers))

    @cached_property
    def api_hosts(self) -> frozenset[str]:
        """The names by which the API is reached, as the header `Host` has them."""
        own = urlsplit(self.api_address).hostname or ""
        return frozenset(("localhost", "127.0.0.1", "[::1]", "::1", own, *_named(self.api_names.lower())))

    @cached_property
    def catalog_versions(self) -> Path:
        """The folder of catalog versions in use by orders."""
        return self.data_dir / "catalogs"

    @cached_property
    def keep_deliveries(self) -> timedelta:
        """How long deliveries are kept once they have arrived."""
        return timedelta(days=self.deliveries_kept_days)

    @cached_property
    def mails(self) -> Path:
        """The folder of mails, where there is no mail server."""
        return self.mail_folder or self.data_dir / "mail"

    def read_mail_password(self) -> SecretStr | None:
        """The password for the mail server, if there is one.

        Raises:
            SettingsError: if its file cannot be read.
        """
        if self.mail_password is None:
            return None
        try:
            return SecretStr(self.mail_password.read_text(encoding="utf-8").strip())
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{_PREFIX}MAIL_PASSWORD: cannot be read: {type(error).__name__}") from None

    def read_silo_secrets(self) -> dict[str, tuple[str, ...]]:
        """Each silo's secrets, the one in use first; empty where none are configured.

        Raises:
            OSError: if the file cannot be read.
            ValueError: if it holds something else, or the same secret for two silos.
        """
        if self.silo_secrets is None:
            return {}
        try:
            secrets = _SILO_SECRETS.validate_json(self.silo_secrets.read_bytes())
        except ValidationError as error:  # Told without the secrets themselves: it ends up in a log.
            found = (f"{'.'.join(map(str, detail['loc'])) or 'file'}: {detail['msg']}" for detail in error.errors())
            raise ValueError("; ".join(found)) from None
        owners: dict[str, str] = {}
        for silo, its in secrets.items():
            for secret in its:
                if owners.setdefault(secret, silo) != silo:
                    raise ValueError(f"{owners[secret]} and {silo} have the same secret")
        return secrets

    def read_silo_logins(self) -> dict[str, str]:
        """What workers show to silos, by name; empty where nothing is configured.

        Raises:
            SettingsError: if the file cannot be read, or holds something else.
        """
        if self.silo_logins is None:
            return {}
        variable = f"{_PREFIX}SILO_LOGINS"
        try:
            return _SILO_LOGINS.validate_json(self.silo_logins.read_bytes())
        except OSError as error:
            raise SettingsError(f"{variable}: cannot be read: {error.strerror}") from None
        except ValidationError as error:  # Told without the secrets themselves: it ends up in a log.
            found = (f"{'.'.join(map(str, detail['loc'])) or 'file'}: {detail['msg']}" for detail in error.errors())
            raise SettingsError(f"{variable}: {'; '.join(found)}") from None

    def read_console_login(self) -> ConsoleLogin | None:
        """How people log in to the console; None where that is not configured.

        Raises:
            SettingsError: if the file cannot be read, or holds something else.
        """
        if self.console_login is None:
            return None
        variable = f"{_PREFIX}CONSOLE_LOGIN"
        try:
            return ConsoleLogin.model_validate_json(self.console_login.read_bytes())
        except OSError as error:
            raise SettingsError(f"{variable}: cannot be read: {error.strerror}") from None
        except ValidationError as error:  # Told without the secret.
            found = (f"{'.'.join(map(str, detail['loc'])) or 'file'}: {detail['msg']}" for detail in error.errors())
            raise SettingsError(f"{variable}: {'; '.join(found)}") from None


def _named(names: str) -> list[str]:
    return [name for part in names.split(",") if (name := part.strip())]


def _variable(place: tuple[int | str, ...]) -> str:
    return _PREFIX + str(place[0]).upper() if place else "settings"


def _reason(message: str) -> str:
    message = message.removeprefix("Value error, ")
    return message[:1].lower() + message[1:]
