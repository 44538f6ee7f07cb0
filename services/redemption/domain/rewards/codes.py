"""How a voucher's code is written and read: twenty characters of chance, one that checks them.

The alphabet has 32 letters and digits, without those that look alike (I, L, O, U), so that each character is an element
of the field GF(32). The last one makes the code, read as a polynomial, zero at a generator of the field: a single wrong
character, and any two that changed places, never give a code that checks (a property test). Pure.
"""

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
RANDOM_CHARACTERS = 20  # five bits each: 100 bits, which nobody guesses
CODE_CHARACTERS = RANDOM_CHARACTERS + 1
GROUP_CHARACTERS = 7
TYPED_LENGTH_MAX = 64

_VALUES = {character: value for value, character in enumerate(ALPHABET)}
_LOOKS_LIKE = str.maketrans({"O": "0", "I": "1", "L": "1"})
_POLYNOMIAL = 0b100101  # x^5 + x^2 + 1: x generates the field
_FIELD_BITS = 5


def check_character(random_part: str) -> str:
    """The character that goes after these."""
    return ALPHABET[_times_x(_value_of(random_part))]


def normalised(typed: str) -> str:
    """A code as it is kept and compared: upper case, without spaces and dashes."""
    return "".join(typed.upper().split()).replace("-", "")


def readings(typed: str) -> tuple[str, ...]:
    """The codes that may be meant by what somebody typed: as it stands, and with the letters that none of our codes has
    read as the digits that they look like."""
    code = normalised(typed)
    return tuple(dict.fromkeys((code, code.translate(_LOOKS_LIKE))))


def is_mistyped(typed: str) -> bool:
    """Whether this has the form of a code of ours and does not check: no such code was ever made."""
    code = readings(typed)[-1]
    if len(code) != CODE_CHARACTERS or any(character not in _VALUES for character in code):
        return False
    return check_character(code[:-1]) != code[-1]


def grouped(code: str) -> str:
    """A code of ours as people read it: three groups of seven. Another's stays as it is."""
    if len(code) != CODE_CHARACTERS:
        return code
    return "-".join(code[start : start + GROUP_CHARACTERS] for start in range(0, CODE_CHARACTERS, GROUP_CHARACTERS))


def _value_of(characters: str) -> int:
    value = 0
    for character in characters:
        value = _times_x(value) ^ _VALUES[character]
    return value


def _times_x(value: int) -> int:
    value <<= 1
    return value ^ _POLYNOMIAL if value >> _FIELD_BITS else value
