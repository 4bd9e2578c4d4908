"""Documents of orders, before the register keeps them: within the budget of an order."""

from __future__ import annotations

from api.errors import OrderTooLarge
from api.tmf.json_body import Json
from orders.model.budget import DOCUMENT, size_of
from register.recording.documents import digest_of


def document_digest(document: Json) -> str:
    """The digest of a document that an order is to have.

    Raises:
        OrderTooLarge: if it is larger than that of any order may be.
    """
    too_large = DOCUMENT.exceeded_by(size_of(document))
    if too_large is not None:
        raise OrderTooLarge("The order is too large", too_large.message)
    return digest_of(document)
