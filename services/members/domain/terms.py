"""The programme's terms: versions of a text in one language, each from a day on, and who accepted which.

A version that is published never changes. A change has to be announced some days before it takes effect, so that a
member can leave first; the first version in a language changes nothing for anybody and needs no notice.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias
from uuid import UUID

from services.members.domain.registry import Member
from services.members.domain.statement_errors import (
    AnnouncedTooEarlyError,
    NoticeTooShortError,
    TermsNotPublishedError,
    TermsOutOfOrderError,
    TermsPublishedError,
    TermsUnknownError,
)
from services.members.domain.statuses import judge_open

TermsState: TypeAlias = Literal["draft", "announced", "in_force", "superseded"]


@dataclass(frozen=True, slots=True)
class Terms:
    """One version in one language, without its text. ``announced_at`` is None for a draft."""

    language: str
    terms_version: str
    title: str
    effective_from: datetime
    announced_at: datetime | None

    @property
    def is_published(self) -> bool:
        """Whether it can no longer change."""
        return self.announced_at is not None


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A member accepted one version. ``proof`` refers to a record kept elsewhere."""

    acceptance_id: UUID
    member_id: UUID
    language: str
    terms_version: str
    source: str
    proof: str | None
    accepted_at: datetime
    recorded_at: datetime
    recorded_by: str


def judge_publication(
    draft: Terms | None, others: Sequence[Terms], announced_at: datetime, now: datetime, notice: timedelta
) -> None:
    """Whether a draft may be published; ``others`` are all versions in its language.

    Raises:
        TermsUnknownError, TermsPublishedError: there is no such draft.
        TermsOutOfOrderError: it would take effect before a version that is published.
        AnnouncedTooEarlyError: a change is said to have been announced before its text was settled.
        NoticeTooShortError: a change takes effect too soon after it is announced; says what the earliest time is.
    """
    if draft is None:
        raise TermsUnknownError("there is no such version in this language: see GET /v1/terms")
    if draft.is_published:
        raise TermsPublishedError("this version is published already and never changes: draft another terms_version")
    published = [terms.effective_from for terms in others if terms.is_published]
    if not published:
        return
    if draft.effective_from <= max(published):
        raise TermsOutOfOrderError(
            f"/effective_from: a published version takes effect at {max(published).isoformat()}: draft this one again "
            "with a later time"
        )
    if announced_at < now:
        raise AnnouncedTooEarlyError("/announced_at: it has passed: a change is announced once its text is settled")
    if draft.effective_from < announced_at + notice:
        raise NoticeTooShortError(
            f"/effective_from: a change is announced {notice.days} days before it takes effect: draft it again with "
            f"{(announced_at + notice).isoformat()} or later"
        )


def state_of(terms: Terms, published: Sequence[Terms], now: datetime) -> TermsState:
    """Where a version stands among those published in its language."""
    if not terms.is_published:
        return "draft"
    if terms.effective_from > now:
        return "announced"
    current = in_force(published, now)
    return "in_force" if current is None or current.terms_version == terms.terms_version else "superseded"


def in_force(published: Sequence[Terms], now: datetime) -> Terms | None:
    """The version that counts now, of those published in one language."""
    effective = [terms for terms in published if terms.effective_from <= now]
    return max(effective, key=lambda terms: terms.effective_from, default=None)


def language_for(wanted: str, published: Sequence[Terms], now: datetime) -> str | None:
    """The language in which a member reads the terms.

    The member's own, else its primary one (``en`` for ``en-US``), else the one whose terms took effect first; one with
    terms in force goes before one that has only announced any. None while nothing is published.
    """
    candidates = [terms for terms in published if terms.effective_from <= now] or list(published)
    available = [terms.language for terms in sorted(candidates, key=lambda each: (each.effective_from, each.language))]
    for language in (wanted, wanted.partition("-")[0], *available[:1]):
        if language in available:
            return language
    return None


def still_to_accept(
    member: Member, published: Sequence[Terms], accepted: Collection[str], now: datetime
) -> list[Terms]:
    """What a member has not accepted of what counts and what will: the version in force, then those announced.

    A version that was accepted in another language is accepted.
    """
    language = language_for(member.language, published, now)
    there = sorted((each for each in published if each.language == language), key=lambda each: each.effective_from)
    current = in_force(there, now)
    due = ([] if current is None else [current]) + [terms for terms in there if terms.effective_from > now]
    return [terms for terms in due if terms.terms_version not in accepted]


def judge_acceptance(member: Member, terms: Terms | None) -> None:
    """Whether a member may accept this version.

    Raises:
        TermsNotPublishedError: nothing of the kind is published.
        MemberGoneError: the member takes part no more.
    """
    if terms is None or not terms.is_published:
        raise TermsNotPublishedError(
            "/terms_version: no such version is published in this language: see GET /v1/terms?language="
        )
    judge_open(member.status)
