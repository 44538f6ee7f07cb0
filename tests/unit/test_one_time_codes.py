"""One-time codes follow from an id and a key, and say nothing without it."""

from collections import Counter
from uuid import UUID

import pytest

from shared.one_time_codes import CodeKeys, InvalidCodeKeysError, UnknownCodeKeyError

KEYS = f"b:{'5a' * 32}, a:{'0f' * 32}"


def test_the_first_key_makes_codes_and_all_check_them() -> None:
    keys = CodeKeys.parse(KEYS)
    assert keys.current_id == "b"
    assert (keys.code_of(UUID(int=1), "a"), keys.code_of(UUID(int=1), "b")) == ("009978", "250490")
    assert CodeKeys.parse("").current_id is None
    with pytest.raises(UnknownCodeKeyError):
        keys.code_of(UUID(int=1), "c")


def test_codes_have_six_digits_that_are_as_good_as_drawn() -> None:
    keys = CodeKeys.parse(KEYS)
    codes = [keys.code_of(UUID(int=number), "a") for number in range(2_000)]
    assert {len(code) for code in codes} == {6}
    assert len(set(codes)) > 1_990
    firsts = Counter(code[0] for code in codes)
    assert len(firsts) == 10
    assert max(firsts.values()) < 270


@pytest.mark.parametrize("text", ["a", "a:00", f"a:{'5a' * 32},a:{'0f' * 32}", f"a b:{'5a' * 32}"])
def test_what_is_no_key_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(InvalidCodeKeysError) as refused:
        CodeKeys.parse(text)
    assert text not in str(refused.value) or text == "a"
