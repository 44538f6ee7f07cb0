"""Who may join: every condition, and the order in which they are judged."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.members.domain.joining import (
    NO_CONDITIONS,
    Joining,
    JoiningConditions,
    JoiningRefusedError,
    RequiredConsent,
    age_on,
    judge_joining,
    judge_person,
)
from services.members.domain.referral import ALPHABET, ReferralCodeError, normal_code, referral_code
from services.members.domain.registry import Address, Person

TODAY = date(2026, 3, 1)
ADA = Person("Ada", "Lovelace", "ada@example.com", birth_date=date(2008, 3, 1))
AT_HOME = Joining("web", ADA, "US-NY", has_accepted_terms=True, granted={("marketing", "post")})

BY_POST = RequiredConsent(purpose="marketing", channel="post")
BY_SMS = RequiredConsent(purpose="marketing", channel="sms")


def refusal(conditions: JoiningConditions, joining: Joining, today: date = TODAY) -> str | None:
    try:
        judge_joining(conditions, joining, today)
    except JoiningRefusedError as refused:
        return refused.code
    return None


def test_without_conditions_everybody_may_join() -> None:
    for channel in NO_CONDITIONS.channels:
        assert refusal(NO_CONDITIONS, Joining(channel, ADA, None, has_accepted_terms=False, granted=())) is None


@pytest.mark.parametrize(
    ("conditions", "joining", "code"),
    [
        (JoiningConditions(channels=("pos",)), AT_HOME, "channel_closed"),
        (NO_CONDITIONS, replace(AT_HOME, person=None), "person_needed"),
        (NO_CONDITIONS, replace(AT_HOME, person=None, channel="pos"), None),
        (JoiningConditions(card_first_channels=()), replace(AT_HOME, person=None, channel="pos"), "person_needed"),
        (JoiningConditions(minimum_age=18), AT_HOME, None),
        (JoiningConditions(minimum_age=19), AT_HOME, "too_young"),
        (JoiningConditions(minimum_age=1), replace(AT_HOME, person=replace(ADA, birth_date=None)), "birth_date_needed"),
        (JoiningConditions(minimum_age=18), replace(AT_HOME, person=None, channel="pos"), None),
        (JoiningConditions(countries=("US", "CA")), AT_HOME, None),
        (JoiningConditions(countries=("CA",)), AT_HOME, "country_closed"),
        (JoiningConditions(countries=("US",)), replace(AT_HOME, region=None), "country_closed"),
        (JoiningConditions(terms_accepted=True), AT_HOME, None),
        (JoiningConditions(terms_accepted=True), replace(AT_HOME, has_accepted_terms=False), "terms_not_accepted"),
        (JoiningConditions(terms_accepted=True), replace(AT_HOME, channel="import", has_accepted_terms=False), None),
        (JoiningConditions(consents=(RequiredConsent(purpose="marketing", channel="post"),)), AT_HOME, None),
        (
            JoiningConditions(consents=(RequiredConsent(purpose="marketing", channel="sms"),)),
            AT_HOME,
            "consent_missing",
        ),
    ],
)
def test_a_condition_is_met_or_named(conditions: JoiningConditions, joining: Joining, code: str | None) -> None:
    assert refusal(conditions, joining) == code


def test_an_address_says_the_country_before_the_region_does() -> None:
    person = replace(ADA, address=Address(("1 Rue",), "Paris", "FR"))
    judge_person(JoiningConditions(countries=("FR",)), person, "US-NY", TODAY)


@pytest.mark.parametrize(
    ("born", "day", "age"),
    [
        (date(2008, 3, 1), date(2026, 2, 28), 17),
        (date(2008, 3, 1), date(2026, 3, 1), 18),
        (date(2008, 2, 29), date(2026, 2, 28), 17),
        (date(2008, 2, 29), date(2026, 3, 1), 18),
        (date(2008, 2, 29), date(2028, 2, 29), 20),
    ],
)
def test_ages_on_the_days_that_matter(born: date, day: date, age: int) -> None:
    assert age_on(day, born) == age


codes = st.text(ALPHABET, min_size=9, max_size=9).map(referral_code)


@given(codes)
def test_a_code_is_read_however_people_write_it(code: str) -> None:
    assert normal_code(f" {code[:5]}-{code[5:]} ".lower()) == code


@given(codes, st.integers(0, 9), st.sampled_from(ALPHABET))
def test_one_wrong_character_is_always_found(code: str, place: int, other: str) -> None:
    mistyped = code[:place] + other + code[place + 1 :]
    if mistyped != code:
        with pytest.raises(ReferralCodeError):
            normal_code(mistyped)


@pytest.mark.parametrize("text", ["", "short", "7" * 30, "0000000000!"])
def test_what_is_no_code_is_refused(text: str) -> None:
    with pytest.raises(ReferralCodeError, match="/referral_code"):
        normal_code(text)
