"""Worked examples of the score, and what it asks to be repaired."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.members.domain.data_quality import (
    FIELDS,
    AspectWeights,
    FieldFacts,
    FieldWeights,
    QualityField,
    QualityRules,
    filled_fields,
    judge_check,
    judge_quality,
    restated_fields,
)
from services.members.domain.registry import Person
from services.members.domain.statement_errors import FieldNotFilledError

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
YEARS_AGO = NOW - timedelta(days=1_000)
RULES = QualityRules()  # fields 30, 30, 20, 20; aspects 40, 20, 20, 20; fresh for two years
BEST = FieldFacts(NOW, verified_at=NOW)

EXAMPLES: tuple[tuple[str, dict[QualityField, FieldFacts], int, list[tuple[str, str]]], ...] = (
    ("nothing known", {}, 0, [(field, "fill") for field in FIELDS]),
    ("everything known", dict.fromkeys(FIELDS, BEST), 100, []),
    (
        "an address by e-mail alone, unverified",
        {"email": FieldFacts(NOW)},
        24,
        [("email", "verify"), ("phone", "fill"), ("birth_date", "fill"), ("address", "fill")],
    ),
    (
        "all verified, the phone years ago",
        dict.fromkeys(FIELDS, BEST) | {"phone": FieldFacts(YEARS_AGO, verified_at=YEARS_AGO)},
        94,
        [("phone", "refresh")],
    ),
    (
        "stated years ago and verified today is fresh",
        dict.fromkeys(FIELDS, BEST) | {"phone": FieldFacts(YEARS_AGO, verified_at=NOW)},
        100,
        [],
    ),
    (
        "an address by e-mail that bounces",
        dict.fromkeys(FIELDS, BEST) | {"email": FieldFacts(NOW, invalid_at=NOW)},
        88,
        [("email", "correct"), ("email", "verify")],
    ),
)


@pytest.mark.parametrize(("facts", "score", "repairs"), [each[1:] for each in EXAMPLES], ids=[e[0] for e in EXAMPLES])
def test_worked_example(
    facts: dict[QualityField, FieldFacts], score: int, repairs: list[tuple[QualityField, str]]
) -> None:
    quality = judge_quality(facts, RULES, NOW)
    assert (quality.score_percent, list(quality.repairs)) == (score, repairs)


def test_a_field_that_weighs_nothing_is_nobodys_concern() -> None:
    rules = QualityRules(fields=FieldWeights(email=1, phone=0, birth_date=0, address=0))
    quality = judge_quality({"email": FieldFacts(NOW)}, rules, NOW)
    assert (quality.score_percent, quality.repairs) == (80, (("email", "verify"),))


def test_something_has_to_weigh() -> None:
    for nothing in (FieldWeights, AspectWeights):
        with pytest.raises(ValidationError):
            nothing(**dict.fromkeys(nothing.model_fields, 0))
    with pytest.raises(ValidationError):
        FieldWeights(email=-1)


TIMES = st.none() | st.sampled_from([YEARS_AGO, NOW])


@given(
    st.dictionaries(st.sampled_from(FIELDS), st.builds(FieldFacts, TIMES)),
    st.sampled_from(FIELDS),
    st.builds(FieldWeights, **dict.fromkeys(FIELDS, st.integers(1, 1_000))),
)
def test_the_score_is_a_percentage_and_a_verified_value_never_lowers_it(
    facts: dict[QualityField, FieldFacts], field: QualityField, weights: FieldWeights
) -> None:
    rules = QualityRules(fields=weights)
    before = judge_quality(facts, rules, NOW).score_percent
    after = judge_quality(facts | {field: BEST}, rules, NOW).score_percent
    assert 0 <= before <= after <= 100
    assert (before == 100) is (not judge_quality(facts, rules, NOW).repairs)


def test_what_a_person_has_and_what_of_it_is_new() -> None:
    ada = Person("Ada", "Lovelace", "ada@example.com", phone="+12125550142")
    born = Person("Ada", "King", "ada@example.com", birth_date=date(1815, 12, 10))
    assert filled_fields(ada) == {"email", "phone"}
    assert filled_fields(None) == set()
    assert restated_fields(ada, born) == {"birth_date"}
    assert restated_fields(None, ada) == {"email", "phone"}


def test_a_check_tells_about_the_value_that_is_there() -> None:
    assert judge_check(FieldFacts(NOW), NOW)
    assert not judge_check(FieldFacts(NOW), YEARS_AGO)  # of the value before
    assert not judge_check(FieldFacts(YEARS_AGO, invalid_at=NOW), NOW - timedelta(days=1))
    with pytest.raises(FieldNotFilledError):
        judge_check(FieldFacts(), NOW)
