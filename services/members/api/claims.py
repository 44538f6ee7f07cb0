"""Identifiers as requests give them."""

from services.members.domain.identities import Identities
from services.members.domain.registry import Claim
from services.members.schemas.registry import IdentifierBody
from shared.ids import InvalidIdentifierError
from shared.web import invalid_field


def claim_of(identities: Identities, body: IdentifierBody, pointer: str) -> Claim:
    """An identifier as its hash; one that cannot be of its type is refused with ``pointer`` and its field."""
    try:
        return identities.claim(body.type, body.value)
    except InvalidIdentifierError as error:
        raise invalid_field(f"{pointer}/value", str(error)) from None


def new_claim_of(identities: Identities, body: IdentifierBody, pointer: str) -> Claim:
    """An identifier that is to be linked, as its hash; one that cannot be is refused like one that cannot be named."""
    try:
        return identities.new_claim(body.type, body.value)
    except InvalidIdentifierError as error:
        raise invalid_field(f"{pointer}/value", str(error)) from None
