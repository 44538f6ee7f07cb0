"""Consents and terms: what members allowed and accepted."""

from fastapi import APIRouter

from services.members.api.consent_texts import consent_texts_router
from services.members.api.consents import consent_reading_router, consents_router
from services.members.api.statement_problems import STATEMENT_PROBLEMS
from services.members.api.subjects.parts import Parts, Subject
from services.members.api.terms import acceptances_router, terms_reading_router, terms_router


def _routers(parts: Parts) -> tuple[APIRouter, ...]:
    return (
        consents_router(parts.database, parts.seal, parts.settings.consent_confirmed_within),
        consent_reading_router(parts.database),
        consent_texts_router(parts.database),
        terms_router(parts.database, parts.settings.terms_notice),
        terms_reading_router(parts.database),
        acceptances_router(parts.database),
    )


SUBJECT = Subject(_routers, STATEMENT_PROBLEMS)
