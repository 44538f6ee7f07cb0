"""What a programme wants to know of its members beyond the registry's own fields: typed, declared, with a source.

A value is kept as one text in canonical form, so that equal values are equal texts: a number without trailing zeros, a
date as YYYY-MM-DD, ``true`` or ``false``.
"""

import re
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, TypeAlias, assert_never
from uuid import UUID

from services.members.domain.statement_errors import AttributeValueError

AttributeType: TypeAlias = Literal["text", "number", "boolean", "date", "choice"]
Outcome: TypeAlias = Literal["in_effect", "outdated", "unchanged"]
Told: TypeAlias = bool | int | float | str

DIGITS_MAX = 15
DECIMALS_MAX = 6
_NUMBER = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Attribute:
    """A declared attribute. It never changes: what was stored under it must stay readable.

    A choice has ``choices``, a text ``text_length_max``. Values of a personal one are sealed under the member's key.
    """

    code: str
    type: AttributeType
    is_personal: bool
    choices: tuple[str, ...] = ()
    text_length_max: int | None = None


def is_told(attribute: Attribute) -> bool:
    """Whether others hear of the attribute and of its values: what is typed freely may name somebody."""
    return not attribute.is_personal and attribute.type != "text"


@dataclass(frozen=True, slots=True)
class Entry:
    """What was said of a member under one attribute, where and when. A ``canonical`` of None says: nothing any more."""

    entry_id: UUID
    member_id: UUID
    code: str
    canonical: str | None = field(repr=False)
    source: str
    stated_at: datetime
    recorded_at: datetime
    recorded_by: str


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """The same as the database holds it: a personal value is sealed, any other is plain, nothing is neither."""

    entry_id: UUID
    member_id: UUID
    code: str
    plain: str | None = field(repr=False)
    sealed: bytes | None = field(repr=False)
    source: str
    stated_at: datetime
    recorded_at: datetime
    recorded_by: str


def outcome_of(entry: Entry, holding: Entry | None) -> Outcome:
    """What becomes of an entry that arrives: it holds unless something newer does, or it was said word for word."""
    if holding is None or entry.stated_at > holding.stated_at:
        return "in_effect"
    if (entry.stated_at, entry.canonical, entry.source) == (holding.stated_at, holding.canonical, holding.source):
        return "unchanged"
    return "in_effect" if entry.stated_at == holding.stated_at else "outdated"


def canonical(attribute: Attribute, told: Told) -> str:
    """The value as it is kept.

    Raises:
        AttributeValueError: it is not of the attribute's type. The message does not repeat it.
    """
    match attribute.type:
        case "text":
            if not isinstance(told, str) or not 1 <= len(told.strip()) <= (attribute.text_length_max or 0):
                raise AttributeValueError(f"/value: a text of 1 to {attribute.text_length_max} characters is expected")
            return told.strip()
        case "number":
            return _number(told)
        case "boolean":
            if not isinstance(told, bool):
                raise AttributeValueError("/value: true or false is expected")
            return "true" if told else "false"
        case "date":
            return _date(told)
        case "choice":
            if not isinstance(told, str) or told not in attribute.choices:
                raise AttributeValueError(f"/value: one of these is expected: {', '.join(attribute.choices)}")
            return told
        case _:
            assert_never(attribute.type)


def shown(attribute: Attribute, kept: str) -> bool | str:
    """The value as it is told: true or false, else text; a number is text too, so that none of its digits is lost."""
    return kept == "true" if attribute.type == "boolean" else kept


def _number(told: Told) -> str:
    refusal = AttributeValueError(
        f"/value: a number of at most {DIGITS_MAX} digits and {DECIMALS_MAX} decimals is expected, as 12.5 or as text"
    )
    if isinstance(told, bool) or (isinstance(told, str) and not _NUMBER.fullmatch(told)):
        raise refusal
    # A float has lost what was sent beyond 17 digits; written as people would write it, it is what was meant.
    number = Decimal(repr(told) if isinstance(told, float) else told)
    if not number.is_finite() or number.adjusted() >= DIGITS_MAX:
        raise refusal
    normal = number.normalize()
    _, digits, exponent = normal.as_tuple()
    if normal != number or not isinstance(exponent, int) or exponent < -DECIMALS_MAX or len(digits) > DIGITS_MAX:
        raise refusal
    return "0" if number == 0 else format(normal, "f")


def _date(told: Told) -> str:
    if isinstance(told, str) and _DATE.fullmatch(told):
        try:
            return date.fromisoformat(told).isoformat()
        except ValueError:
            pass
    raise AttributeValueError("/value: a date is expected, as 2026-03-01")
