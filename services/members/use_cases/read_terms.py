"""The programme's terms, as they stand and as they will. Changes nothing."""

from datetime import datetime, timedelta

from services.members.domain.statement_errors import TermsUnknownError
from services.members.domain.terms import Terms, TermsState, state_of
from services.members.repository import terms as repository
from shared.database import Transaction


async def read_terms(
    transaction: Transaction, language: str, *, with_drafts: bool, after: tuple[datetime, str] | None, rows_max: int
) -> list[tuple[Terms, TermsState]]:
    """Versions in a language, the one that takes effect last first, each with where it stands."""
    found = await repository.load_terms(transaction, language, with_drafts=with_drafts, after=after, rows_max=rows_max)
    published = await repository.load_published(transaction, language)
    return [(terms, state_of(terms, published, transaction.now)) for terms in found]


async def read_terms_text(
    transaction: Transaction, language: str, terms_version: str, *, with_drafts: bool
) -> tuple[Terms, TermsState, list[str]]:
    """One version with its text.

    Raises:
        TermsUnknownError: there is none, or it is a draft that the caller does not see.
    """
    found = await repository.find_terms(transaction, language, terms_version)
    if found is None or not (with_drafts or found[0].is_published):
        raise TermsUnknownError("there is no such version in this language: see GET /v1/terms")
    terms, paragraphs = found
    published = await repository.load_published(transaction, language)
    return terms, state_of(terms, published, transaction.now), paragraphs


async def read_upcoming_terms(
    transaction: Transaction, within: timedelta, *, after: tuple[datetime, str, str] | None, rows_max: int
) -> list[Terms]:
    """What takes effect within a time from now, the next first: whom to tell of it is another's business."""
    until = transaction.now + within
    return await repository.load_upcoming(transaction, until=until, after=after, rows_max=rows_max)
