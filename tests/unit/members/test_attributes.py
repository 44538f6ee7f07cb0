"""Values of attributes in their canonical form, and which of several holds."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.members.domain.attributes import Attribute, Entry, Told, canonical, outcome_of, shown
from services.members.domain.statement_errors import AttributeValueError
from services.members.sealing.attributes import read, stored
from services.members.sealing.member_keys import MemberKey, SealBrokenError

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADA = UUID(int=1)
NICKNAME = Attribute("nickname", "text", is_personal=True, text_length_max=10)
CHILDREN = Attribute("children", "number", is_personal=False)
IS_VEGAN = Attribute("is_vegan", "boolean", is_personal=False)
SINCE = Attribute("since", "date", is_personal=False)
SIZE = Attribute("size", "choice", is_personal=False, choices=("s", "m"))
ENTRY = Entry(UUID(int=7), ADA, "nickname", "Countess", "web", NOON, NOON, "programme")

KEPT: tuple[tuple[Attribute, Told, str], ...] = (
    (NICKNAME, " Countess ", "Countess"),
    (CHILDREN, 2, "2"),
    (CHILDREN, 2.50, "2.5"),
    (CHILDREN, "-02.500", "-2.5"),
    (CHILDREN, 0.0, "0"),
    (CHILDREN, 1e-6, "0.000001"),
    (CHILDREN, 120_000, "120000"),
    (IS_VEGAN, True, "true"),
    (SINCE, "2026-02-28", "2026-02-28"),
    (SIZE, "m", "m"),
)
REFUSED: tuple[tuple[Attribute, Told], ...] = (
    (NICKNAME, "  "),
    (NICKNAME, "a" * 11),
    (NICKNAME, 5),
    (CHILDREN, True),
    (CHILDREN, "two"),
    (CHILDREN, "1e3"),
    (CHILDREN, "1_0"),
    (CHILDREN, float("nan")),
    (CHILDREN, float("inf")),
    (CHILDREN, 10**15),
    (CHILDREN, 1e-7),
    (CHILDREN, "1.00000000000000000000000000001"),
    (IS_VEGAN, 1),
    (IS_VEGAN, "true"),
    (SINCE, "2026-02-30"),
    (SINCE, "2026-W09-1"),
    (SINCE, 20260228),
    (SIZE, "xl"),
    (SIZE, True),
)


@pytest.mark.parametrize(("attribute", "told", "kept"), KEPT, ids=str)
def test_equal_values_are_equal_texts(attribute: Attribute, told: Told, kept: str) -> None:
    assert canonical(attribute, told) == kept
    assert canonical(attribute, shown(attribute, kept)) == kept


@pytest.mark.parametrize(("attribute", "told"), REFUSED, ids=str)
def test_a_value_of_another_type_is_refused(attribute: Attribute, told: Told) -> None:
    with pytest.raises(AttributeValueError, match=r"^/value: "):
        canonical(attribute, told)


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=6))
def test_a_number_keeps_its_digits(number: object) -> None:
    kept = canonical(CHILDREN, str(number))
    assert canonical(CHILDREN, kept) == kept
    assert kept == "0" or float(kept) == float(str(number))


def test_the_newest_value_holds_and_the_same_again_is_nothing_new() -> None:
    hour = timedelta(hours=1)
    assert outcome_of(ENTRY, None) == "in_effect"
    assert outcome_of(replace(ENTRY, entry_id=UUID(int=8)), ENTRY) == "unchanged"
    assert outcome_of(replace(ENTRY, canonical="Ada"), ENTRY) == "in_effect"
    assert outcome_of(replace(ENTRY, source="till"), ENTRY) == "in_effect"
    assert outcome_of(replace(ENTRY, stated_at=NOON + hour), ENTRY) == "in_effect"
    assert outcome_of(replace(ENTRY, canonical=None, stated_at=NOON - hour), ENTRY) == "outdated"


def test_a_personal_value_is_sealed_for_its_member_and_attribute() -> None:
    key = MemberKey.new(ADA)
    kept = stored(NICKNAME, ENTRY, key)
    assert (kept.plain, kept.sealed is None) == (None, False)
    assert read(NICKNAME, kept, key) == ENTRY
    for attribute, opener in ((replace(NICKNAME, code="motto"), key), (NICKNAME, MemberKey.new(ADA))):
        with pytest.raises(SealBrokenError):
            read(attribute, kept, opener)
    assert "Countess" not in repr(ENTRY)
    gone = stored(NICKNAME, replace(ENTRY, canonical=None), key)
    assert (gone.plain, gone.sealed) == (None, None)


def test_any_other_value_is_plain() -> None:
    kept = stored(CHILDREN, replace(ENTRY, code="children", canonical="2"), MemberKey.new(ADA))
    assert (kept.plain, kept.sealed) == ("2", None)
