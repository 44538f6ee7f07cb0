"""Referral codes: what a member passes on so that friends join by it. Pure."""

from stdnum.exceptions import ValidationError
from stdnum.iso7064 import mod_37_36

# Letters and digits that nobody mistakes for one another when they are read aloud or written by hand.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
RANDOM_LENGTH = 9  # 31 to the ninth: a million codes given out leave a guess one chance in 26 million
CODE_LENGTH = RANDOM_LENGTH + 1


class ReferralCodeError(Exception):
    """Nobody can join by this code; the message begins with a pointer to the field."""


def referral_code(random_part: str) -> str:
    """A code: what was drawn, and its check character (ISO 7064, mod 37, 36)."""
    return random_part + str(mod_37_36.calc_check_digit(random_part))


def normal_code(text: str) -> str:
    """A code as it is stored: upper case, without the dashes and spaces that people put in.

    Raises:
        ReferralCodeError: mistyped: the check character finds every single wrong or swapped one.
    """
    code = text.replace("-", "").replace(" ", "").upper()
    try:
        is_right = len(code) == CODE_LENGTH and bool(mod_37_36.validate(code))
    except ValidationError:
        is_right = False
    if not is_right:
        raise ReferralCodeError("/referral_code: the code is mistyped: compare it letter by letter")
    return code
