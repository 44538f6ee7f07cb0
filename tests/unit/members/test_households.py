"""Households, purely: who may change what, and what any order of joining and leaving leaves."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.members.domain.errors import MemberGoneError
from services.members.domain.household_errors import (
    HouseholdChangesExhaustedError,
    HouseholdFullError,
    InHouseholdError,
    InvitationExpiredError,
    InvitationUnknownError,
    LeavingTermsNotAgreedError,
    NotInHouseholdError,
    RightNotTheirsError,
)
from services.members.domain.household_heirs import choose_heir, possible_heirs
from services.members.domain.households import (
    AskedRights,
    Household,
    HouseholdLimits,
    Invitation,
    Rights,
    founded,
    joined,
    judge_acceptance,
    judge_invitation,
    judge_newcomer,
    left,
    with_rights,
)
from services.members.domain.leaving import TAKES_OWN, LeavingTerms, judge_agreement, leaving_terms
from services.members.domain.registry import Member
from shared.events.members import MemberStatus

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ALL = Rights(contributes=True, may_spend=True, shows_purchases=False)
LIMITS = HouseholdLimits(members_max=3, changes_per_year_max=4, invitation_lasts=timedelta(days=7))
HEAD, OTHER, STRANGER = uuid4(), uuid4(), uuid4()
TWO = joined(founded(uuid4(), HEAD, ALL, NOON), OTHER, ALL, NOON)
STAYS = LeavingTerms("stays_with_household", 30)
NONE = Rights(contributes=True, may_spend=False, shows_purchases=False)
NONE_MAY_SPEND = joined(joined(founded(uuid4(), HEAD, NONE, NOON), OTHER, NONE, NOON), STRANGER, ALL, NOON, STAYS)
ENDED = with_rights(joined(TWO, STRANGER, ALL, NOON, STAYS), STRANGER, AskedRights(contributes=False), STRANGER, NOON)


def member(member_id: UUID = STRANGER, **others: object) -> Member:
    return replace(Member(member_id, "active", "en", None, 1, NOON), **others)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("asked", "whose", "stated_by", "is_allowed"),
    [
        (AskedRights(shows_purchases=True), OTHER, OTHER, True),
        (AskedRights(shows_purchases=True), OTHER, HEAD, False),
        (AskedRights(shows_purchases=True), HEAD, OTHER, False),
        (AskedRights(contributes=False), OTHER, OTHER, True),
        (AskedRights(contributes=False), OTHER, HEAD, True),
        (AskedRights(contributes=False), HEAD, OTHER, False),
        (AskedRights(may_spend=False), OTHER, HEAD, True),
        (AskedRights(may_spend=False), OTHER, OTHER, False),
        (AskedRights(may_spend=False), HEAD, HEAD, True),
        # One that is not theirs is refused with all that came with it.
        (AskedRights(contributes=False, shows_purchases=True), OTHER, HEAD, False),
    ],
)
def test_who_may_change_which_right(asked: AskedRights, whose: UUID, stated_by: UUID, is_allowed: bool) -> None:
    if not is_allowed:
        with pytest.raises(RightNotTheirsError):
            with_rights(TWO, whose, asked, stated_by, NOON)
        return
    changed = with_rights(TWO, whose, asked, stated_by, NOON)
    assert changed.version == TWO.version + 1
    assert with_rights(changed, whose, asked, stated_by, NOON) is changed  # what is so already is no change


def test_only_the_member_gives_what_would_stay() -> None:
    bound = joined(TWO, STRANGER, replace(ALL, contributes=False), NOON, STAYS)
    with pytest.raises(RightNotTheirsError, match="would stay"):
        with_rights(bound, STRANGER, AskedRights(contributes=True), HEAD, NOON)
    contributing = with_rights(bound, STRANGER, AskedRights(contributes=True), STRANGER, NOON)
    assert possible_heirs(contributing, STRANGER, NOON) == (HEAD, OTHER)
    with_rights(contributing, STRANGER, AskedRights(contributes=False), HEAD, NOON)  # to end it is the head's as well


@pytest.mark.parametrize(
    ("place", "when", "heirs"),
    [
        (joined(TWO, STRANGER, ALL, NOON), NOON, ()),  # agreed to no such thing
        (joined(TWO, STRANGER, ALL, NOON, STAYS), NOON, (HEAD, OTHER)),
        (joined(TWO, STRANGER, replace(ALL, contributes=False), NOON, STAYS), NOON, ()),  # never contributed
        (ENDED, NOON + STAYS.notice - timedelta(seconds=1), (HEAD, OTHER)),
        (ENDED, NOON + STAYS.notice, ()),
        (
            with_rights(ENDED, STRANGER, AskedRights(contributes=True), STRANGER, NOON),
            NOON + STAYS.notice,
            (HEAD, OTHER),
        ),
        (with_rights(ENDED, HEAD, AskedRights(may_spend=False), HEAD, NOON), NOON, (OTHER,)),
        (NONE_MAY_SPEND, NOON, (HEAD, OTHER)),
        (left(left(ENDED, HEAD), OTHER), NOON, ()),  # nobody remains
    ],
)
def test_with_whom_points_of_a_leaver_may_stay(place: Household, when: datetime, heirs: tuple[UUID, ...]) -> None:
    assert possible_heirs(place, STRANGER, when) == heirs


def test_the_heir_is_the_first_who_may_spend_just_now() -> None:
    active: dict[UUID, MemberStatus] = dict.fromkeys((HEAD, OTHER, STRANGER), "active")
    assert choose_heir(STRANGER, (HEAD, OTHER), active) == HEAD
    assert choose_heir(STRANGER, (HEAD, OTHER), active | {HEAD: "spend_locked"}) == OTHER
    assert choose_heir(STRANGER, (HEAD, OTHER), active | {HEAD: "suspended", OTHER: "earn_only"}) is None
    assert choose_heir(STRANGER, (), active) is None
    for status in ("suspended", "earn_only", "spend_locked"):  # nothing is taken from an account that is locked
        assert choose_heir(STRANGER, (HEAD, OTHER), active | {STRANGER: status}) is None


def test_what_is_in_force_binds_whoever_was_shown_it() -> None:
    assert judge_agreement(None, TAKES_OWN) == judge_agreement(TAKES_OWN, TAKES_OWN) == TAKES_OWN
    assert judge_agreement(STAYS, STAYS) == STAYS
    for agreed, in_force in (
        (None, STAYS),
        (TAKES_OWN, STAYS),
        (STAYS, TAKES_OWN),
        (STAYS, replace(STAYS, notice_days=31)),
    ):
        with pytest.raises(LeavingTermsNotAgreedError):
            judge_agreement(agreed, in_force)
    assert leaving_terms("takes_own", 30) == TAKES_OWN  # where nothing stays there is no notice


def test_a_stranger_has_no_rights_and_changes_none() -> None:
    for whose, stated_by in ((STRANGER, HEAD), (HEAD, STRANGER)):
        with pytest.raises(NotInHouseholdError):
            with_rights(TWO, whose, AskedRights(contributes=False), stated_by, NOON)


def test_whoever_has_been_there_longest_is_the_head() -> None:
    three = joined(TWO, STRANGER, ALL, NOON)
    assert (three.head_id, left(three, HEAD).head_id, left(left(three, HEAD), OTHER).head_id) == (HEAD, OTHER, STRANGER)
    assert left(left(TWO, HEAD), OTHER).head_id is None


def test_who_may_join() -> None:
    judge_newcomer(member(), LIMITS.changes_per_year_max - 1, LIMITS)
    with pytest.raises(HouseholdChangesExhaustedError, match="4 are allowed"):
        judge_newcomer(member(), LIMITS.changes_per_year_max, LIMITS)
    with pytest.raises(InHouseholdError):
        judge_newcomer(member(household_id=uuid4()), 0, LIMITS)
    with pytest.raises(MemberGoneError):
        judge_newcomer(member(status="closed"), 0, LIMITS)


def test_who_may_be_invited() -> None:
    judge_invitation(TWO, member(household_id=uuid4()), HEAD, 0, LIMITS)  # it can leave the other one first
    with pytest.raises(HouseholdFullError):
        judge_invitation(TWO, member(), HEAD, 1, LIMITS)
    with pytest.raises(InHouseholdError):
        judge_invitation(TWO, member(OTHER), HEAD, 0, LIMITS)
    with pytest.raises(NotInHouseholdError):
        judge_invitation(TWO, member(), uuid4(), 0, LIMITS)
    with pytest.raises(MemberGoneError):
        judge_invitation(TWO, member(status="erased"), HEAD, 0, LIMITS)


def test_who_may_accept() -> None:
    offer = Invitation(TWO.household_id, STRANGER, HEAD, b"", contributes=True, may_spend=True, expires_at=NOON)
    before = NOON - timedelta(seconds=1)
    assert judge_acceptance(offer, STRANGER, TWO, LIMITS, before) is offer
    with pytest.raises(InvitationExpiredError):
        judge_acceptance(offer, STRANGER, TWO, LIMITS, NOON)
    for unknown, who in ((None, STRANGER), (offer, OTHER)):
        with pytest.raises(InvitationUnknownError):
            judge_acceptance(unknown, who, TWO, LIMITS, before)
    with pytest.raises(HouseholdFullError):
        judge_acceptance(offer, STRANGER, joined(TWO, uuid4(), ALL, NOON), LIMITS, before)


@given(st.lists(st.integers(0, 3), max_size=20))
def test_any_order_of_joining_and_leaving_keeps_the_order_and_counts_each_change(moves: list[int]) -> None:
    people = [UUID(int=number) for number in range(4)]
    household = Household(uuid4(), 1, ())
    inside: list[UUID] = []
    for number, move in enumerate(moves, 2):
        person = people[move]
        if person in inside:
            inside.remove(person)
            household = left(household, person)
        else:
            inside.append(person)
            household = joined(household, person, ALL, NOON)
        assert household.version == number
        assert [place.member_id for place in household.places] == inside
        assert household.head_id == (inside[0] if inside else None)
