"""Card numbers: the check digit of those that are linked, and the numbers that we make ourselves."""

from collections.abc import Callable
from typing import Literal, TypeAlias

from stdnum import luhn

from shared.ids import InvalidIdentifierError

CheckDigit: TypeAlias = Literal["none", "luhn"]
# At least 15 are random: a million guesses against a million cards hit one in a thousand times.
VIRTUAL_CARD_DIGITS = 19
VIRTUAL_PREFIX_DIGITS_MAX = 3


def judge_check_digit(scheme: CheckDigit, number: str) -> None:
    """Whether a card's normal form ends in its check digit: most slips of whoever keys a number break it.

    Raises:
        InvalidIdentifierError: it does not.
    """
    if scheme == "luhn" and not luhn.is_valid(number):
        raise InvalidIdentifierError("the card's check digit does not fit: read or key the number again")


def virtual_card(prefix: str, random_digits: Callable[[int], str]) -> str:
    """A new card number: ``prefix``, digits that nobody can guess (``random_digits`` gives so many), a check digit.

    The check digit is Luhn's whatever the programme's printed cards have, so that a slip is seen in any of them.
    """
    body = prefix + random_digits(VIRTUAL_CARD_DIGITS - len(prefix) - 1)
    return body + luhn.calc_check_digit(body)
