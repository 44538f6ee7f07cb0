"""Who gets an identifier."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.members.domain.errors import AlreadyEnrolledError, IdentifierTakenError, MemberNotFoundError
from services.members.domain.linking import distinct_claims, judge_enrolment, judge_link
from services.members.domain.registry import Claim, Identifier, Member

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADA, BEN = UUID(int=1), UUID(int=2)
CARD, PHONE = Claim("card", "1.card"), Claim("phone", "1.phone")


def member(member_id: UUID) -> Member:
    return Member(member_id, "active", "en", None, 1, NOON)


def identifier_of(member_id: UUID) -> Identifier:
    return Identifier("1.card", "card", member_id, "active", 1, NOON)


def test_an_enrolment_that_got_everything_stands() -> None:
    judge_enrolment(["1.email"], [CARD, PHONE], {"1.email", "1.card", "1.phone"})


def test_a_known_address_is_told_before_a_taken_card() -> None:
    with pytest.raises(AlreadyEnrolledError):
        judge_enrolment(["1.email"], [CARD], set())


def test_a_refusal_names_types_and_no_hash() -> None:
    with pytest.raises(IdentifierTakenError) as refused:
        judge_enrolment(["1.email"], [PHONE, CARD], {"1.email"})
    assert str(refused.value).endswith("card, phone")
    assert "1." not in str(refused.value)


def test_a_link_is_the_members_own_or_refused() -> None:
    judge_link(member(ADA), identifier_of(ADA))
    with pytest.raises(IdentifierTakenError):
        judge_link(member(ADA), identifier_of(BEN))


def test_without_a_member_nothing_is_said_about_the_identifier() -> None:
    with pytest.raises(MemberNotFoundError):
        judge_link(None, identifier_of(BEN))


@given(st.lists(st.sampled_from([Claim("card", f"1.{letter}") for letter in "zyxab"])))
def test_claims_come_once_and_in_the_order_of_locks(claims: list[Claim]) -> None:
    hashes = [claim.hash for claim in distinct_claims(claims)]
    assert hashes == sorted({claim.hash for claim in claims})
