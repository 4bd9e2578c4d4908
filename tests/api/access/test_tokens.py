"""Which tokens are taken: those of the issuer, for this API, in their time, and no others."""

from __future__ import annotations

import asyncio
import json
import time
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.access import tokens
from api.access.principal import Principal, Scope
from api.access.tokens import Keys, Tokens
from api.errors import Unauthorized, Unavailable
from tests.running.pipe import free_port, listening

ISSUER = "https://login.example"
SIGNED = {
    "EdDSA": (ed25519.Ed25519PrivateKey.generate(), OKPAlgorithm),
    "ES256": (ec.generate_private_key(ec.SECP256R1()), ECAlgorithm),
    "RS256": (rsa.generate_private_key(65537, 2048), RSAAlgorithm),
}
FOREIGN = ed25519.Ed25519PrivateKey.generate()


def key_set(*algorithms: str, kid: str = "") -> str:
    """The public keys of some algorithms, each under the name of its algorithm."""
    keys = []
    for algorithm in algorithms:
        key, kind = SIGNED[algorithm]
        keys.append({**kind.to_jwk(key.public_key(), as_dict=True), "kid": kid or algorithm, "alg": algorithm})
    return json.dumps({"keys": keys})


def claims(**edits: Any) -> dict[str, Any]:
    now = int(time.time())
    given = {"iss": ISSUER, "aud": "orderpipe", "sub": "agent-7", "exp": now + 60, "nbf": now, "scope": "care", **edits}
    return {name: value for name, value in given.items() if value is not None}


def token(algorithm: str = "EdDSA", key: Any = None, kid: str | None = None, **edits: Any) -> str:
    signing = key if key is not None else SIGNED[algorithm][0]
    return jwt.encode(claims(**edits), signing, algorithm=algorithm, headers={"kid": kid or algorithm})


@pytest.fixture
def issuer(tmp_path: Path) -> Tokens:
    file = tmp_path / "jwks.json"
    file.write_text(key_set(*SIGNED))
    return Tokens(ISSUER, "orderpipe", Keys(str(file)))


@pytest.mark.parametrize("algorithm", SIGNED)
async def test_a_token_says_who_sends_it_and_what_that_one_may_do(issuer: Tokens, algorithm: str) -> None:
    sent = token(
        algorithm, scope="care openid orders:read", channel="call-centre", customer="cust-1", aud=["x", "orderpipe"]
    )
    assert await issuer.principal(sent) == Principal(
        "agent-7", frozenset({Scope.CARE, Scope.READ}), "call-centre", "cust-1"
    )
    assert await issuer.principal(token(algorithm, scope=None, nbf=None)) == Principal("agent-7")


def unsigned(**header: Any) -> str:
    parts = ({"alg": "none", "typ": "JWT", **header}, claims())
    return ".".join(urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts) + "."


def forged() -> str:
    """A token whose claims were replaced under a signature that is right for others."""
    head, _, signature = token().split(".")
    return ".".join((head, token(scope="operate").split(".")[1], signature))


def signed_with_the_public_key() -> str:
    """HMAC with what everybody can read: taken by whoever lets the token choose the algorithm."""
    public = json.loads(key_set("EdDSA"))["keys"][0]["x"]
    return jwt.encode(claims(), public.encode(), algorithm="HS256", headers={"kid": "EdDSA"})


NOT_TAKEN = {
    "expired": (lambda: token(exp=int(time.time()) - 11), "has expired"),
    "not yet valid": (lambda: token(nbf=int(time.time()) + 60), "is not valid yet"),
    "of another issuer": (lambda: token(iss="https://other.example"), "is of another issuer"),
    "for another audience": (lambda: token(aud="billing"), "is meant for another audience"),
    "without an end": (lambda: token(exp=None), "has no claim exp"),
    "without an issuer": (lambda: token(iss=None), "has no claim iss"),
    "without an audience": (lambda: token(aud=None), "has no claim aud"),
    "without a subject": (lambda: token(sub=None), "has no claim sub"),
    "a subject that is empty": (lambda: token(sub=""), "claim sub cannot be understood"),
    "a channel that is no identifier": (lambda: token(channel="web\nshop"), "claim channel cannot be understood"),
    "a scope that is no text": (lambda: token(scope=["care"]), "claim scope cannot be understood"),
    "with a foreign key": (lambda: token(key=FOREIGN), "is not one of the issuer"),
    "with an unknown key": (lambda: token(kid="other"), "a key that the issuer does not have"),
    "with the wrong kind of key": (lambda: token("ES256", kid="EdDSA"), "is not one of the issuer"),
    "unsigned": (unsigned, "signed in a way that is not taken"),
    "unsigned, with a key": (lambda: unsigned(kid="EdDSA"), "signed in a way that is not taken"),
    "with a shared secret": (signed_with_the_public_key, "signed in a way that is not taken"),
    "forged": (forged, "is not one of the issuer"),
    "no text that a token is made of": (lambda: "ü.ä.ö", "is not one of the issuer"),
    "no token": (lambda: "a.b.c", "is not one of the issuer"),
    "a hostile header": (lambda: urlsafe_b64encode(b"[" * 5000).decode() + ".e30.", "is not one of the issuer"),
}


@pytest.mark.parametrize("case", NOT_TAKEN)
async def test_a_token_is_not_taken(issuer: Tokens, case: str) -> None:
    make, told = NOT_TAKEN[case]
    with pytest.raises(Unauthorized, match=told):
        await issuer.principal(make())


async def test_a_symmetric_key_among_the_issuers_is_none(tmp_path: Path) -> None:
    file = tmp_path / "jwks.json"
    secret = "a secret that is shared with everybody who reads the key set"
    shared = {"kty": "oct", "kid": "s", "k": urlsafe_b64encode(secret.encode()).decode()}
    file.write_text(json.dumps({"keys": [shared, *json.loads(key_set("EdDSA"))["keys"]]}))
    issuer = Tokens(ISSUER, "orderpipe", Keys(str(file)))
    assert await issuer.principal(token())
    with pytest.raises(Unauthorized):
        await issuer.principal(jwt.encode(claims(), secret, algorithm="HS256", headers={"kid": "s"}))


class KeyServer(Starlette):
    """An issuer's key set by HTTP."""

    def __init__(self) -> None:
        super().__init__(routes=[Route("/jwks", self._answer)])
        self.content = key_set("EdDSA")
        self.status = 200
        self.asked = 0

    async def _answer(self, request: Request) -> Response:
        self.asked += 1
        return Response(self.content, self.status)


async def test_keys_come_from_a_url_and_a_new_one_is_found_without_a_flood_of_questions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server, port = KeyServer(), free_port()
    issuer = Tokens(ISSUER, "orderpipe", Keys(f"http://127.0.0.1:{port}/jwks"))
    async with listening(server, port):
        assert await issuer.principal(token())
        server.content = key_set("EdDSA", "ES256")
        for _ in range(5):
            with pytest.raises(Unauthorized):
                await issuer.principal(token("ES256"))
        assert server.asked == 1
        monkeypatch.setattr(tokens, "_ASK_AGAIN_AFTER_S", 0)
        assert await issuer.principal(token("ES256"))
        server.status = 500
        with pytest.raises(Unauthorized):
            await issuer.principal(token("RS256"))
        assert await issuer.principal(token("ES256"))
        server.status, server.content = 200, key_set("ES256")
        assert await issuer.principal(token("EdDSA"))
        monkeypatch.setattr(tokens, "_KEYS_LAST_S", 0)
        with pytest.raises(Unauthorized):
            await issuer.principal(token("EdDSA"))


async def test_as_long_as_there_are_no_keys_no_token_is_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "_ASK_AGAIN_AFTER_S", 0)
    file = tmp_path / "jwks.json"
    issuer = Tokens(ISSUER, "orderpipe", Keys(str(file)))
    for content in (None, "{", "[]", '{"keys": []}'):
        if content is not None:
            file.write_text(content)
        with pytest.raises(Unavailable, match="The issuer's keys cannot be read"):
            await issuer.principal(token())
    file.write_text(key_set("EdDSA"))
    assert await issuer.principal(token())


async def test_whoever_comes_while_the_keys_are_read_for_the_first_time_waits_for_them(issuer: Tokens) -> None:
    found = await asyncio.gather(*(issuer.principal(token()) for _ in range(8)))
    assert {principal.name for principal in found} == {"agent-7"}
