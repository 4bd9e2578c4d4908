"""Pydantic's models as JSON; what it takes to read a type is worked out once for a process.

The SDK (1.35) makes a payload converter for each run of a workflow, and each has a cache of its own: pydantic works out
anew, for every order, how the answers of silos are read.
"""

from __future__ import annotations

from typing import Final

from temporalio.contrib.pydantic import PydanticJSONPlainPayloadConverter
from temporalio.converter import CompositePayloadConverter, DefaultPayloadConverter, JSONPlainPayloadConverter

_JSON: Final = PydanticJSONPlainPayloadConverter()


class PayloadConverter(CompositePayloadConverter):
    """That of `temporalio.contrib.pydantic`, but for the cache, which all share."""

    def __init__(self) -> None:
        super().__init__(
            *(
                _JSON if isinstance(each, JSONPlainPayloadConverter) else each
                for each in DefaultPayloadConverter.default_encoding_payload_converters
            )
        )
