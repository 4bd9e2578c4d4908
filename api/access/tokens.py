"""Bearer tokens: whose signature they must bear, and what they say."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Final

import httpx2
import jwt
import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from api.access.principal import Principal, Scope
from api.blocking import run_blocking
from api.errors import Unauthorized, Unavailable
from orders.model.writing.identifiers import Identifier
from orders.model.writing.text import Name

log = structlog.get_logger()

ALGORITHMS: Final = (*("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"),)
"""Signatures with a private key only: whoever can check a token must not be able to make one."""

_CLOCK_SKEW_S = 10
_ASK_AGAIN_AFTER_S = 10.0
"""How long the issuer is left alone after it was asked: tokens with invented key ids must not become a flood there."""
_KEYS_LAST_S = 3600.0
"""How long the keys are believed: after that, one that the issuer has withdrawn is gone here too."""


class Claims(BaseModel):
    """What a token says (RFC 9068), as far as it matters here. Times, issuer and audience are checked elsewhere."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    sub: Annotated[str, Field(min_length=1, max_length=200)]
    scope: str = ""
    channel: Identifier | None = None
    customer: Identifier | None = None
    groups: Annotated[tuple[Name, ...], Field(max_length=1000)] = ()


class Tokens:
    """Takes the tokens of one issuer that are meant for this API."""

    def __init__(self, issuer: str, audience: str, keys: Keys) -> None:
        self._issuer = issuer
        self._audience = audience
        self._keys = keys

    async def principal(self, token: str) -> Principal:
        """Who sends a token.

        Raises:
            Unauthorized: if it is none, has run out, or is not one of the issuer for this API.
            Unavailable: if the issuer's keys cannot be had.
        """
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in ALGORITHMS:
                raise Unauthorized("The token is signed in a way that is not taken")
            content = jwt.decode(
                token,
                await self._keys.key(header.get("kid")),
                algorithms=ALGORITHMS,
                issuer=self._issuer,
                audience=self._audience,
                leeway=_CLOCK_SKEW_S,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
            claims = Claims.model_validate(content)
        except jwt.ExpiredSignatureError as error:
            raise Unauthorized("The token has expired") from error
        except jwt.ImmatureSignatureError as error:
            raise Unauthorized("The token is not valid yet") from error
        except jwt.InvalidIssuerError as error:
            raise Unauthorized("The token is of another issuer") from error
        except jwt.InvalidAudienceError as error:
            raise Unauthorized("The token is meant for another audience") from error
        except jwt.MissingRequiredClaimError as error:
            raise Unauthorized(f"The token has no claim {error.claim}") from error
        except ValidationError as error:
            raise Unauthorized(f"The token's claim {error.errors()[0]['loc'][0]} cannot be understood") from error
        except (jwt.InvalidTokenError, RecursionError) as error:
            raise Unauthorized("The token is not one of the issuer") from error
        known = frozenset(scope for scope in Scope if scope in claims.scope.split())
        return Principal(claims.sub, known, claims.channel, claims.customer, groups=frozenset(claims.groups))


class Keys:
    """An issuer's public keys, from a URL or a file, kept for an hour. A new one is found when a token names it."""

    def __init__(self, place: str) -> None:
        self._read: Callable[[], Awaitable[bytes]] = _reader(place)
        self._keys: dict[str | None, jwt.PyJWK] = {}
        self._asked_at = self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def key(self, kid: str | None) -> jwt.PyJWK:
        """The key of that id.

        Raises:
            Unauthorized: if there is none.
            Unavailable: if there are no keys to be had.
        """
        if self._worth_asking(kid):
            async with self._reading:
                if self._worth_asking(kid):  # Not if it was asked while this one waited.
                    await self._renew()
        if not self._keys:
            raise Unavailable("Tokens cannot be checked now", "The issuer's keys cannot be read")
        found = self._keys.get(kid)
        if found is None:
            raise Unauthorized("The token is signed with a key that the issuer does not have")
        return found

    def _worth_asking(self, kid: str | None) -> bool:
        now = time.monotonic()
        needed = kid not in self._keys or now - self._read_at > _KEYS_LAST_S
        return needed and now - self._asked_at > _ASK_AGAIN_AFTER_S

    async def _renew(self) -> None:
        try:
            found = jwt.PyJWKSet.from_dict(json.loads(await self._read())).keys
        except (OSError, httpx2.HTTPError, ValueError, AttributeError, jwt.PyJWTError) as error:
            log.warning("the issuer's keys cannot be read", error=type(error).__name__)
            return
        finally:  # Not before: whoever comes while they are read waits for them.
            self._asked_at = time.monotonic()
        self._keys = {
            key.key_id: key for key in found if key.algorithm_name in ALGORITHMS and key.public_key_use in (None, "sig")
        }
        self._read_at = time.monotonic()


def _reader(place: str) -> Callable[[], Awaitable[bytes]]:
    if "://" not in place:

        async def from_file() -> bytes:
            return await run_blocking(Path(place).read_bytes)

        return from_file

    async def from_url() -> bytes:
        async with httpx2.AsyncClient(timeout=5, follow_redirects=True) as http:
            return (await http.get(place)).raise_for_status().content

    return from_url
