"""When terms may be published, which count, and what a member still has to accept."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.members.domain.errors import MemberGoneError
from services.members.domain.registry import Member
from services.members.domain.statement_errors import (
    AnnouncedTooEarlyError,
    NoticeTooShortError,
    TermsNotPublishedError,
    TermsOutOfOrderError,
    TermsPublishedError,
    TermsUnknownError,
)
from services.members.domain.terms import (
    Terms,
    judge_acceptance,
    judge_publication,
    language_for,
    state_of,
    still_to_accept,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
NOTICE = 30 * DAY


def terms(version: str, days: int, language: str = "en", *, is_draft: bool = False) -> Terms:
    """A version that takes effect so many days from now."""
    announced_at = None if is_draft else NOW - 100 * DAY
    return Terms(language, version, "Terms", NOW + days * DAY, announced_at)


OLD, CURRENT, COMING = terms("v1", -300), terms("v2", -10), terms("v3", 40)
ADA = Member(UUID(int=1), "active", "en-US", None, 1, NOW)


def test_the_first_version_in_a_language_needs_no_notice() -> None:
    draft = terms("v1", -300, is_draft=True)
    judge_publication(draft, [draft, terms("v2", 9, is_draft=True)], NOW - 300 * DAY, NOW, NOTICE)


def test_a_change_needs_its_notice_and_the_refusal_names_the_earliest_time() -> None:
    judge_publication(terms("v3", 30, is_draft=True), [CURRENT], NOW, NOW, NOTICE)
    with pytest.raises(NoticeTooShortError, match="2026-03-31T12:00:00") as refused:
        judge_publication(terms("v3", 29, is_draft=True), [CURRENT], NOW, NOW, NOTICE)
    assert "30 days" in str(refused.value)
    with pytest.raises(NoticeTooShortError):
        judge_publication(terms("v3", 30, is_draft=True), [CURRENT], NOW + DAY, NOW, NOTICE)


def test_a_change_is_not_announced_before_its_text_is_settled() -> None:
    with pytest.raises(AnnouncedTooEarlyError):
        judge_publication(terms("v3", 40, is_draft=True), [CURRENT], NOW - DAY, NOW, NOTICE)


def test_versions_take_effect_in_the_order_of_their_publication() -> None:
    with pytest.raises(TermsOutOfOrderError):
        judge_publication(terms("v4", 40, is_draft=True), [CURRENT, COMING], NOW, NOW, NOTICE)


def test_only_a_draft_is_published() -> None:
    with pytest.raises(TermsUnknownError):
        judge_publication(None, [], NOW, NOW, NOTICE)
    with pytest.raises(TermsPublishedError):
        judge_publication(CURRENT, [CURRENT], NOW, NOW, NOTICE)


def test_where_each_version_stands() -> None:
    published = [OLD, CURRENT, COMING]
    assert [state_of(each, published, NOW) for each in published] == ["superseded", "in_force", "announced"]
    assert state_of(COMING, published, NOW + 40 * DAY) == "in_force"
    assert state_of(terms("v4", 9, is_draft=True), published, NOW) == "draft"


@pytest.mark.parametrize(
    ("wanted", "found"), [("de-AT", "de-AT"), ("de-CH", "de"), ("en-US", "en"), ("fr", "en")], ids=str
)
def test_a_member_reads_the_nearest_language(wanted: str, found: str) -> None:
    published = [terms("v1", -200, "de-AT"), terms("v1", -200, "de"), terms("v1", -300, "en"), terms("v1", 5, "fr")]
    assert language_for(wanted, published, NOW) == found


def test_what_counts_and_what_is_coming_has_to_be_accepted() -> None:
    published = [OLD, CURRENT, COMING, terms("v9", -1, "de")]
    assert still_to_accept(ADA, published, set(), NOW) == [CURRENT, COMING]
    assert still_to_accept(ADA, published, {"v1", "v2"}, NOW) == [COMING]  # in whatever language it was
    assert still_to_accept(ADA, published, {"v2", "v3"}, NOW) == []
    assert still_to_accept(ADA, [], set(), NOW) == []


def test_only_what_is_published_is_accepted_and_by_who_takes_part() -> None:
    judge_acceptance(ADA, COMING)
    for unknown in (None, terms("v4", 9, is_draft=True)):
        with pytest.raises(TermsNotPublishedError):
            judge_acceptance(ADA, unknown)
    with pytest.raises(MemberGoneError):
        judge_acceptance(replace(ADA, status="closed"), CURRENT)
