"""What events are signed with, in the form of Standard Webhooks: `whsec_` and 24 to 64 bytes in base64."""

from __future__ import annotations

import base64
import binascii
import secrets
from typing import Annotated, Final, TypeAlias

from pydantic import AfterValidator, Field, SecretStr

_PREFIX: Final = "whsec_"


def new_secret() -> SecretStr:
    """A secret that nobody can guess."""
    return SecretStr(_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode())


def _checked(secret: SecretStr) -> SecretStr:
    value = secret.get_secret_value()
    try:
        key = base64.b64decode(value.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not value.startswith(_PREFIX) or not 24 <= len(key) <= 64:
        raise ValueError("must be whsec_ and 24 to 64 bytes in base64, as Standard Webhooks has it")
    return secret


WebhookSecret: TypeAlias = Annotated[SecretStr, Field(max_length=100), AfterValidator(_checked)]
