"""Worked examples of who is how alike, and what persons share."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.members.domain.duplicates import BlockingKey, blocks_of, compare, is_compared_equal
from services.members.domain.registry import Address, Person

THRESHOLD_PERCENT = 80
# Blocks that are stored hold only as long as these stay as they are.
GOLDEN_BLOCKS = [
    -4541565240261785508,
    -4510360386520164431,
    -4377125912466905713,
    -3423473418502560325,
    3996512333191912968,
]
KEY = BlockingKey.of(b"\x0f" * 32)
HOME = Address(("12 Wisteria Lane",), "Gotham", "US", "10128")
ELSEWHERE = Address(("7 Harbor Street",), "Metropolis", "US", "20001")
ANNA = Person("Anna", "Quagmire", "anna@example.com", birth_date=date(1987, 5, 17), address=HOME)


def shares_a_block(one: Person, other: Person) -> bool:
    return not blocks_of(KEY, one).isdisjoint(blocks_of(KEY, other))


@pytest.mark.parametrize(
    ("other", "score_percent", "agreeing"),
    [
        pytest.param(replace(ANNA, family_name="Quagmyre"), 98, "name birth_date address", id="a typo in the name"),
        pytest.param(
            replace(ANNA, given_name="QUAGMIRE", family_name="Ánna"), 100, "name birth_date address", id="names swapped"
        ),
        pytest.param(replace(ANNA, birth_date=date(1978, 5, 17)), 93, "name address", id="digits of the year swapped"),
        pytest.param(replace(ANNA, birth_date=date(1987, 5, 11)), 93, "name address", id="a digit of the day"),
        pytest.param(replace(ANNA, address=ELSEWHERE), 85, "name birth_date", id="moved"),
        pytest.param(replace(ANNA, address=None), 100, "name birth_date", id="an address that was not told"),
        pytest.param(
            replace(ANNA, address=replace(HOME, lines=("12, Wisteria Ln.", "Apt. B"))),
            97,
            "name birth_date",
            id="the address written otherwise",
        ),
    ],
)
def test_one_person_is_a_candidate(other: Person, score_percent: int, agreeing: str) -> None:
    likeness = compare(ANNA, other)
    assert (likeness.score_percent, " ".join(likeness.agreeing_fields)) == (score_percent, agreeing)
    assert score_percent >= THRESHOLD_PERCENT
    assert shares_a_block(ANNA, other)


@pytest.mark.parametrize(
    ("other", "score_percent"),
    [
        pytest.param(replace(ANNA, given_name="Marie"), 75, id="twins at one address"),
        pytest.param(replace(ANNA, birth_date=date(1957, 2, 3)), 65, id="parent and child of one name at one address"),
        pytest.param(replace(ANNA, birth_date=date(1957, 5, 17)), 65, id="the same, born on one day of the year"),
        pytest.param(replace(ANNA, birth_date=date(1957, 2, 3), address=ELSEWHERE), 50, id="of one name"),
        pytest.param(replace(ANNA, given_name="Marie", family_name="Smith"), 50, id="a flat shared, born on one day"),
        pytest.param(
            Person("Bruno", "Katz", "b@example.com", birth_date=date(1990, 12, 1), address=ELSEWHERE), 0, id="unrelated"
        ),
    ],
)
def test_others_are_not(other: Person, score_percent: int) -> None:
    assert compare(ANNA, other).score_percent == score_percent < THRESHOLD_PERCENT


def test_whoever_is_known_by_name_alone_shares_nothing() -> None:
    assert blocks_of(KEY, replace(ANNA, birth_date=None, address=None)) == frozenset()


def test_without_a_date_of_birth_the_address_leads_on() -> None:
    one, other = replace(ANNA, birth_date=None), replace(ANNA, birth_date=None, given_name="Anne")
    assert shares_a_block(one, other)
    assert compare(one, other).score_percent >= THRESHOLD_PERCENT


def test_a_neighbour_lives_elsewhere() -> None:
    assert not shares_a_block(
        replace(ANNA, birth_date=None),
        replace(ANNA, birth_date=None, address=replace(HOME, lines=("14 Wisteria Lane",))),
    )


def test_blocks_are_of_the_programmes_key_and_stay_the_same() -> None:
    assert blocks_of(KEY, ANNA).isdisjoint(blocks_of(BlockingKey.of(b"\x0e" * 32), ANNA))
    assert sorted(blocks_of(KEY, ANNA)) == GOLDEN_BLOCKS
    assert "0f0f" not in repr(KEY)


def test_what_is_not_compared_makes_no_difference() -> None:
    assert is_compared_equal(ANNA, replace(ANNA, email="other@example.com", phone="+12125550142"))
    assert not is_compared_equal(ANNA, replace(ANNA, given_name="Anne"))
    assert not is_compared_equal(None, ANNA)


NAMES = st.text(min_size=1, max_size=12) | st.sampled_from(["Anna", "Änna Maria", "van der Berg", "李", "O'Neill"])
ADDRESSES = st.builds(
    Address,
    st.lists(st.text(min_size=1, max_size=12) | st.just("12 Wisteria Lane"), min_size=1, max_size=3).map(tuple),
    NAMES,
    st.sampled_from(["US", "DE"]),
    st.none() | st.sampled_from(["10128", "SW1A 1AA"]),
)
PERSONS = st.builds(
    Person,
    NAMES,
    NAMES,
    st.just("a@example.com"),
    birth_date=st.none() | st.dates(date(1900, 1, 1), date(2026, 1, 1)),
    address=st.none() | ADDRESSES,
)


@given(PERSONS, PERSONS)
def test_likeness_is_the_same_in_both_directions_and_a_percentage(one: Person, other: Person) -> None:
    likeness = compare(one, other)
    assert likeness == compare(other, one)
    assert 0 <= likeness.score_percent <= 100


@given(PERSONS)
def test_equal_persons_are_wholly_alike_and_share_every_block(person: Person) -> None:
    assert compare(person, replace(person, email="other@example.com")).score_percent == 100
    assert all(-(2**63) <= block < 2**63 for block in blocks_of(KEY, person))
