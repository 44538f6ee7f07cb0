"""A voucher's code checks, and what somebody mistyped does not."""

from hypothesis import given
from hypothesis import strategies as st

from services.redemption.credentials.voucher_codes import VoucherKeys, new_code
from services.redemption.domain.rewards.codes import (
    ALPHABET,
    CODE_CHARACTERS,
    RANDOM_CHARACTERS,
    check_character,
    grouped,
    is_mistyped,
    readings,
)

PLACES = st.integers(0, CODE_CHARACTERS - 1)
OLD, NEW = "1:" + "7d" * 32, "2:" + "8e" * 32


def codes() -> st.SearchStrategy[str]:
    random_parts = st.text(ALPHABET, min_size=RANDOM_CHARACTERS, max_size=RANDOM_CHARACTERS)
    return random_parts.map(lambda part: part + check_character(part))


@given(codes(), PLACES, st.sampled_from(ALPHABET))
def test_one_wrong_character_is_seen(code: str, place: int, character: str) -> None:
    typed = code[:place] + character + code[place + 1 :]
    assert is_mistyped(typed) is (typed != code)


@given(codes(), PLACES, PLACES)
def test_two_characters_that_changed_places_are_seen(code: str, one: int, other: int) -> None:
    typed = list(code)
    typed[one], typed[other] = typed[other], typed[one]
    assert is_mistyped("".join(typed)) is ("".join(typed) != code)


@given(codes())
def test_a_code_is_read_as_people_write_it(code: str) -> None:
    written = grouped(code).lower().replace("0", "o").replace("1", "l")
    assert code in readings(f" {written} ")
    assert not is_mistyped(written)


def test_codes_are_ours_and_never_the_same() -> None:
    made = {new_code() for _ in range(1_000)}
    assert len(made) == 1_000
    assert not any(is_mistyped(code) for code in made)
    assert {character for code in made for character in code} == set(ALPHABET)


@given(codes())
def test_a_code_is_found_and_opened_while_keys_are_replaced(code: str) -> None:
    kept = VoucherKeys.parse(OLD).keep(code, "coffee")
    both = VoucherKeys.parse(f"{NEW},{OLD}")
    assert kept.code_hash in both.hashes(code)
    assert both.open(kept.sealed_code, "coffee") == code
    assert code not in kept.sealed_code
    assert kept.code_hash not in VoucherKeys.parse(NEW).hashes(code)
