"""Draft the programme's terms, and publish them: from then on they never change."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from services.members.domain.statement_errors import TermsPublishedError, TermsUnknownError
from services.members.domain.terms import Terms, TermsState, judge_publication, state_of
from services.members.repository import terms as repository
from shared.database import Transaction


async def draft_terms(transaction: Transaction, draft: Terms, paragraphs: Sequence[str], author: str) -> Terms:
    """Write a draft, in place of the one that may be there.

    Raises:
        TermsPublishedError: the version is published.
    """
    saved = await repository.save_draft(transaction, draft, paragraphs, author)
    if saved is None:
        raise TermsPublishedError("this version is published already and never changes: draft another terms_version")
    return saved


async def publish_terms(
    transaction: Transaction,
    language: str,
    terms_version: str,
    announced_at: datetime | None,
    notice: timedelta,
    author: str,
) -> tuple[Terms, TermsState]:
    """Publish a draft, announced at the given time or now. Locks all versions of the language.

    Raises:
        TermsUnknownError, TermsPublishedError, TermsOutOfOrderError, AnnouncedTooEarlyError, NoticeTooShortError: the
        draft stays one.
    """
    versions = await repository.lock_language(transaction, language)
    draft = next((terms for terms in versions if terms.terms_version == terms_version), None)
    announced = announced_at or transaction.now
    judge_publication(draft, versions, announced, transaction.now, notice)
    if draft is None:
        raise TermsUnknownError("there is no such version in this language: see GET /v1/terms")
    published = await repository.publish(transaction, draft, announced, author)
    return published, state_of(published, await repository.load_published(transaction, language), transaction.now)
