"""Identifiers: what tills read, ranges of printed cards, virtual cards, QR tokens."""

from fastapi import APIRouter

from services.members.api.card_ranges import card_ranges_router
from services.members.api.identifiers import changes_router, resolving_router
from services.members.api.qr_tokens import qr_tokens_router
from services.members.api.rekeying import rekeying_router
from services.members.api.subjects.parts import Parts, Subject
from services.members.api.virtual_cards import virtual_cards_router
from services.members.domain import errors
from shared.qr_tokens import InvalidQrTokenError


def _routers(parts: Parts) -> tuple[APIRouter, ...]:
    database, identities, settings = parts.database, parts.identities, parts.settings
    return (
        resolving_router(database, identities, settings.identifier_match_order, settings.qr_token_keys),
        changes_router(database, identities, parts.master_keys),
        rekeying_router(database, identities, parts.master_keys),
        card_ranges_router(database),
        virtual_cards_router(database, identities, parts.master_keys, settings.virtual_card_prefix, parts.seal),
        qr_tokens_router(database, settings.qr_token_keys),
    )


SUBJECT = Subject(
    _routers,
    {
        errors.CardNotIssuedError: (409, "card-not-issued", "Card not issued"),
        errors.CardRangeNotFoundError: (404, "not-found", "Not found"),
        errors.CardRangeOverlapsError: (409, "card-range-overlaps", "Card range overlaps"),
        errors.CardRangeStateError: (409, "card-range-state", "Card range state"),
        errors.IdentifierKeyInUseError: (409, "identifier-key-in-use", "Identifier key in use"),
        errors.IdentifierNotActiveError: (409, "identifier-not-active", "Identifier not active"),
        errors.IdentifierStateError: (409, "identifier-state", "Identifier state"),
        errors.IdentifierTakenError: (409, "identifier-taken", "Identifier taken"),
        errors.IdentifierUnknownError: (404, "identifier-unknown", "Identifier unknown"),
        errors.UnlikeReplacementError: (422, "unlike-replacement", "Unlike replacement"),
        errors.WrongIdentifierKeyError: (409, "wrong-identifier-key", "Wrong identifier key"),
        InvalidQrTokenError: (409, "qr-token-not-valid", "QR token not valid"),
    },
)
