"""From what a till has read to whose points they are, and to what was shown."""

from uuid import UUID

from services.redemption.domain.presenting import Presented
from services.redemption.programme import Programme
from services.redemption.schemas import ShownIdentifierBody
from services.redemption.use_cases.hold_points import Spender
from shared.ids import IdentifierType, InvalidIdentifierError
from shared.qr_tokens import InvalidQrTokenError, QrToken, is_qr_token
from shared.web import invalid_field


def shown_at_till(
    programme: Programme,
    shown: ShownIdentifierBody,
    *,
    code: QrToken | None = None,
    session_id: UUID | None = None,
) -> Spender:
    """Who was named by an identifier or a dynamic QR token. What cannot be one is refused with its field.

    Whether a token still counts is judged later, when the transaction's time is known.
    """
    if shown.type == "token" and is_qr_token(shown.value):
        token = opened(programme, shown.value, "/identifier/value")
        capability = programme.capabilities.of("token", "token")
        return Spender(token.member_id, (), Presented(capability, token, code, session_id))
    capability = programme.capabilities.of(shown.type, shown.entry_method)
    try:
        hashes = programme.hashes_of(IdentifierType(shown.type), shown.value)
    except InvalidIdentifierError as error:
        raise invalid_field("/identifier/value", str(error)) from None
    return Spender(None, hashes, Presented(capability, None, code, session_id))


def opened(programme: Programme, token: str, pointer: str) -> QrToken:
    """A QR token; a text that is none is refused with its field."""
    try:
        return programme.qr_keys.open(token)
    except InvalidQrTokenError as error:
        raise invalid_field(pointer, str(error)) from None
