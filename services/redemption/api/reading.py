"""From what a till has read to whose points they are, and to what was shown."""

from uuid import UUID

from services.redemption.domain.presenting import Presented
from services.redemption.programme import Programme
from services.redemption.schemas.identifiers import ShownIdentifierBody
from services.redemption.use_cases.hold_points import Spender
from shared.ids import IdentifierType, InvalidIdentifierError
from shared.qr_tokens import InvalidQrTokenError, QrToken, is_qr_token
from shared.web import Principal, invalid_field


def shown_at_till(
    programme: Programme,
    shown: ShownIdentifierBody,
    *,
    code: QrToken | None = None,
    session_id: UUID | None = None,
    pointer: str = "/identifier/value",
) -> Spender:
    """Who was named by an identifier or a dynamic QR token. What cannot be one is refused with its field, ``pointer``.

    Whether a token still counts is judged later, when the transaction's time is known.
    """
    if shown.type == "token" and is_qr_token(shown.value):
        token = opened(programme, shown.value, pointer)
        capability = programme.capabilities.of("token", "token")
        return Spender(token.member_id, (), Presented(capability, token, code, session_id))
    capability = programme.capabilities.of(shown.type, shown.entry_method)
    try:
        hashes = programme.hashes_of(IdentifierType(shown.type), shown.value)
    except InvalidIdentifierError as error:
        raise invalid_field(pointer, str(error)) from None
    return Spender(None, hashes, Presented(capability, None, code, session_id))


def opened(programme: Programme, token: str, pointer: str) -> QrToken:
    """A QR token; a text that is none is refused with its field."""
    try:
        return programme.qr_keys.open(token)
    except InvalidQrTokenError as error:
        raise invalid_field(pointer, str(error)) from None


def at_partner(principal: Principal, partner_id: str | None) -> str:
    """At which partner: the caller's own, and what the programme's own clients say."""
    if principal.partner_id is None:
        if partner_id is None:
            raise invalid_field("/partner_id", "the programme's own clients must say at which partner")
        return partner_id
    if partner_id not in (None, principal.partner_id):
        raise invalid_field("/partner_id", "this client is bound to another partner: leave it out")
    return principal.partner_id


def at_till(principal: Principal, store_id: str | None, till_id: str | None) -> tuple[str, str]:
    """In which store, at which till: a till's own, and what others say."""
    if principal.till_id is not None and till_id not in (None, principal.till_id):
        raise invalid_field("/till_id", "this is another till: leave it out")
    if store_id is None:
        raise invalid_field("/store_id", "say in which store: only a till's own is known")
    said = principal.till_id or till_id
    if said is None:
        raise invalid_field("/till_id", "say at which till: only a till's own is known")
    return store_id, said


def in_store(principal: Principal, store_id: str | None) -> str | None:
    """In which store, as far as it is said: a till's own is known."""
    if principal.store_id is not None and store_id not in (None, principal.store_id):
        raise invalid_field("/store_id", "this till stands in another store: leave it out")
    return principal.store_id or store_id
