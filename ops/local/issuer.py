"""An issuer of tokens for the stack on one machine, so that its doors are as shut as in production.

It is nothing but a key pair in the data folder: whoever can read that may make tokens. Beside it stand the secrets by
which the simulated silos report.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from jwt.algorithms import OKPAlgorithm

from api.access.principal import Scope
from settings import Settings

ISSUER: Final = "orderpipe-development"


class IssuerError(Exception):
    """No token can be made here: says why, for people."""


@dataclass(frozen=True, slots=True)
class DevelopmentIssuer:
    """The issuer of a data folder."""

    settings: Settings

    @property
    def configured(self) -> Settings:
        """The settings by which an API takes its tokens, and reports of silos that know their secrets."""
        places = {"auth_jwks": str(self._folder / "jwks.json"), "silo_secrets": self._folder / "silos.json"}
        return Settings.model_validate({**self.settings.model_dump(), "auth_issuer": ISSUER, **places})

    @property
    def exists(self) -> bool:
        """True once it was prepared."""
        return self._key.exists()

    def prepare(self, silos: Iterable[str]) -> None:
        """Make what is missing: the key, and a secret for each of the silos. Nothing that is there changes.

        Raises:
            OSError: if it cannot be written.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not self.exists:
            key = Ed25519PrivateKey.generate()
            _write(self._key, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        key = self._load()
        public = OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
        key_set = {"keys": [{**public, "kid": _kid(key), "alg": "EdDSA", "use": "sig"}]}
        _write(self._folder / "jwks.json", json.dumps(key_set).encode())
        path = self._folder / "silos.json"
        known: dict[str, str] = json.loads(path.read_bytes()) if path.exists() else {}
        _write(path, json.dumps({silo: secrets.token_urlsafe(32) for silo in silos} | known, indent=1).encode())

    def token(
        self,
        scopes: Iterable[Scope] = (Scope.OPERATE,),
        *,
        subject: str = "developer",
        channel: str | None = None,
        customer: str | None = None,
        groups: Iterable[str] = (),
        lifetime: timedelta = timedelta(hours=12),
    ) -> str:
        """A token that allows those scopes.

        Raises:
            IssuerError: if the issuer was never prepared here.
        """
        if not self.exists:
            raise IssuerError(f"There is no development issuer in {self._folder}: `orderpipe up` makes one")
        key, now = self._load(), int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": self.settings.auth_audience,
            "sub": subject,
            "iat": now,
            "nbf": now,
            "exp": now + int(lifetime.total_seconds()),
            "scope": " ".join(scopes),
        }
        named = {"channel": channel, "customer": customer, "groups": list(groups) or None}
        claims |= {name: value for name, value in named.items() if value is not None}
        return jwt.encode(claims, key, algorithm="EdDSA", headers={"kid": _kid(key), "typ": "at+jwt"})

    @property
    def _folder(self) -> Path:
        return self.settings.data_dir.absolute() / "access"

    @property
    def _key(self) -> Path:
        return self._folder / "key.pem"

    def _load(self) -> Ed25519PrivateKey:
        key = load_pem_private_key(self._key.read_bytes(), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise IssuerError(f"{self._key} is no Ed25519 key")
        return key


def local_token(settings: Settings) -> str | None:
    """A token for everything, by the development issuer of the data folder; None where there is none for this user."""
    issuer = DevelopmentIssuer(settings)
    try:
        return issuer.token() if issuer.exists else None
    except PermissionError:
        return None


def _kid(key: Ed25519PrivateKey) -> str:
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return f"development-{hashlib.sha256(public).hexdigest()[:12]}"


def _write(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read: there as a whole, or not at all."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    new.replace(path)
