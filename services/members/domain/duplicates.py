"""How alike two persons are, by name, date of birth and address: whole percents, the same in both directions. Pure.

Each field has a likeness of its own:

- **name**: tokens of both names, without accents and letter case, in any order. Each token counts as much as the best
  Jaro-Winkler similarity that it has with one of the other person's, and as nothing below ``TOKEN_PERCENT_MIN``; the
  name has the mean, taken from both sides.
- **birth_date**: 100 if equal, ``SLIP_PERCENT`` if one slip of the hand makes one of the other, else 0.
- **address**: nothing in another country; half is the postal code (the town where one is not known), half the lines.
  Lines with other house numbers are other lines, whatever the street.

The score is the mean of what is known of both, weighted by ``WEIGHTS``. With these, somebody who has moved scores 85,
twins of one address 75, father and son of one name and address 65.
"""

import hmac
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, TypeAlias
from uuid import UUID

from rapidfuzz.distance import JaroWinkler

from services.members.domain.registry import Address, Person

ComparedField: TypeAlias = Literal["name", "birth_date", "address"]
DuplicateState: TypeAlias = Literal["open", "dismissed", "outdated"]

WEIGHTS: Mapping[ComparedField, int] = {"name": 50, "birth_date": 35, "address": 15}
TOKEN_PERCENT_MIN = 85
SLIP_PERCENT = 80
AGREES_PERCENT_MIN = 90
TOKENS_MAX = 6

# Century and decade of YYYYMMDD: a slip there makes a father of a son.
_SLIPS_FROM_DIGIT = 3
_KEY_PURPOSE = b"tessera/members/duplicates/1"
_BLOCK_BYTES = 8


class DuplicateNotFoundError(Exception):
    """There is no such pair, or not any more: a person was corrected, merged or erased."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike two persons are, and which fields agree."""

    score_percent: int
    agreeing_fields: tuple[ComparedField, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """Two members who may be one person. ``first_id`` is the lower one."""

    first_id: UUID
    second_id: UUID
    likeness: Likeness


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A candidate that stands in the list, since ``found_at``."""

    duplicate_id: UUID
    candidate: Candidate
    found_at: datetime


@dataclass(frozen=True, slots=True)
class Dismissal:
    """Somebody looked, and they are two. ``dismissed_by`` is the caller's ``client_id``."""

    duplicate_id: UUID
    reason_code: str
    dismissed_by: str
    dismissed_at: datetime


@dataclass(frozen=True, slots=True)
class BlockingKey:
    """The secret that what persons share is hashed with, derived from the programme's and good for nothing else."""

    secret: bytes

    @classmethod
    def of(cls, programme_secret: bytes) -> "BlockingKey":
        """The key that belongs to this secret."""
        return cls(hmac.digest(programme_secret, _KEY_PURPOSE, "sha256"))

    def __repr__(self) -> str:
        return "BlockingKey(…)"


def compare(one: Person, other: Person) -> Likeness:
    """How alike two persons are. Symmetric; 100 for equal ones."""
    known: dict[ComparedField, int] = {"name": _names_percent(one, other)}
    if one.birth_date is not None and other.birth_date is not None:
        known["birth_date"] = _birth_percent(one.birth_date, other.birth_date)
    if one.address is not None and other.address is not None:
        known["address"] = _address_percent(one.address, other.address)
    most = sum(WEIGHTS[field] for field in known)
    score = sum(WEIGHTS[field] * percent for field, percent in known.items()) // most
    return Likeness(score, tuple(field for field, percent in known.items() if percent >= AGREES_PERCENT_MIN))


def is_compared_equal(one: Person | None, other: Person) -> bool:
    """Whether nothing differs that ``compare`` looks at."""
    return one is not None and _compared(one) == _compared(other)


def blocks_of(key: BlockingKey, person: Person) -> frozenset[int]:
    """What the person shares with somebody alike, as keyed hashes of 64 bits: only who shares one is compared.

    Date of birth with the beginning of each name; year, and month and day, of birth with the beginnings of all names;
    postal code with house number and street. So a slip in one of these leaves another. Without date of birth and
    postal address there are none: a name alone tells nothing.
    """
    tokens = _name_tokens(person)
    beginnings = " ".join(token[:3] for token in tokens)
    texts: set[str] = set()
    if (born := person.birth_date) is not None:
        texts |= {f"born:{born.isoformat()}:{token[:2]}" for token in tokens}
        texts |= {f"year:{born.year}:{beginnings}", f"day:{born.month}-{born.day}:{beginnings}"}
    if (address := person.address) is not None and address.postal_code is not None:
        line = _tokens(address.lines[0])
        words = [token for token in line if not _is_number(token)]
        house = " ".join(token for token in line if _is_number(token))
        if words:
            texts.add(f"home:{address.country}:{_joined(address.postal_code)}:{house}:{words[0][:4]}")
    return frozenset(_hash(key, text) for text in texts)


def _hash(key: BlockingKey, text: str) -> int:
    return int.from_bytes(hmac.digest(key.secret, text.encode(), "sha256")[:_BLOCK_BYTES], signed=True)


def _compared(person: Person) -> tuple[object, ...]:
    return person.given_name, person.family_name, person.birth_date, person.address


def _name_tokens(person: Person) -> tuple[str, ...]:
    """A name's tokens, sorted: who is asked twice may tell them in another order."""
    return tuple(sorted(set(_tokens(f"{person.given_name} {person.family_name}")))[:TOKENS_MAX])


def _tokens(text: str) -> list[str]:
    """Letters and digits without accents and letter case, as words."""
    plain = "".join(each for each in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(each))
    return "".join(each if each.isalnum() else " " for each in plain).split()


def _joined(text: str) -> str:
    return "".join(_tokens(text))


def _is_number(token: str) -> bool:
    return any(each.isdigit() for each in token)


def _names_percent(one: Person, other: Person) -> int:
    return _tokens_percent(_name_tokens(one), _name_tokens(other))


def _tokens_percent(ours: Sequence[str], theirs: Sequence[str]) -> int:
    """Monge and Elkan's mean of the best matches, taken from both sides so that it is symmetric."""
    if not ours or not theirs:
        return 100 if ours == theirs else 0
    return (_best_sum(ours, theirs) * len(theirs) + _best_sum(theirs, ours) * len(ours)) // (
        2 * len(ours) * len(theirs)
    )


def _best_sum(tokens: Sequence[str], among: Collection[str]) -> int:
    return sum(max(_token_percent(token, each) for each in among) for token in tokens)


def _token_percent(one: str, other: str) -> int:
    first, second = sorted((one, other))  # Jaro's matching is greedy: which one comes first may count
    percent = round(100 * JaroWinkler.similarity(first, second))
    return percent if percent >= TOKEN_PERCENT_MIN else 0


def _birth_percent(one: date, other: date) -> int:
    if one == other:
        return 100
    return SLIP_PERCENT if _is_slip(one, other) else 0


def _is_slip(one: date, other: date) -> bool:
    """One digit is another one, two neighbours changed places, or day and month did."""
    if one.year == other.year and (one.month, one.day) == (other.day, other.month):
        return True
    ours, theirs = f"{one:%Y%m%d}", f"{other:%Y%m%d}"
    places = [place for place in range(len(ours)) if ours[place] != theirs[place]]
    if len(places) == 1:
        return places[0] >= _SLIPS_FROM_DIGIT
    if len(places) != 2 or places[1] != places[0] + 1:
        return False
    return (ours[places[0]], ours[places[1]]) == (theirs[places[1]], theirs[places[0]])


def _address_percent(one: Address, other: Address) -> int:
    if one.country != other.country:
        return 0
    if one.postal_code is not None and other.postal_code is not None:
        town = 100 if _joined(one.postal_code) == _joined(other.postal_code) else 0
    else:
        town = _tokens_percent(_tokens(one.city), _tokens(other.city))
    return (town + _lines_percent(one.lines, other.lines)) // 2


def _lines_percent(ours: Sequence[str], theirs: Sequence[str]) -> int:
    one, other = _tokens(" ".join(ours)), _tokens(" ".join(theirs))
    numbers, others = ({token for token in each if _is_number(token)} for each in (one, other))
    if not (numbers <= others or others <= numbers):
        return 0
    words, other_words = ([token for token in each if not _is_number(token)] for each in (one, other))
    return _tokens_percent(words, other_words)
