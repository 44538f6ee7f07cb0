"""Phone numbers as requests give them."""

from services.members.domain.identities import Identities
from shared.ids import InvalidIdentifierError
from shared.web import invalid_field


def contact_phone(identities: Identities, phone: str | None) -> str | None:
    """A phone to call in E.164; raises a problem (422) for one that cannot be."""
    try:
        return None if phone is None else identities.phone(phone)
    except InvalidIdentifierError as error:
        raise invalid_field("/phone", str(error)) from None
