"""Predicates over what the programme wants to know of its members: attributes that the registry declares and tells."""

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, TypeAlias

from pydantic import StringConstraints, model_validator

from services.accrual.domain.rules.values import Codes, CodeText, Frozen
from shared.as_written import Day

NumberText = Annotated[str, StringConstraints(pattern=r"^-?[0-9]{1,15}(\.[0-9]{1,6})?$")]
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?")


class AttributeIs(Frozen):
    """What the member has under the attribute at the receipt's time is one of these: choices, or ``true``, ``false``.

    Who has nothing under it never matches.
    """

    kind: Literal["attribute"] = "attribute"
    code: CodeText
    values: Codes


class AttributeNumber(Frozen):
    """The number that the member has under the attribute lies between two, both included, written as texts: ``"2.5"``.

    Who has none never matches.
    """

    kind: Literal["attribute_number"] = "attribute_number"
    code: CodeText
    at_least: NumberText | None = None
    at_most: NumberText | None = None

    @model_validator(mode="after")
    def _check(self) -> "AttributeNumber":
        if self.at_least is None and self.at_most is None:
            raise ValueError("name at_least, at_most or both")
        if self.at_least is not None and self.at_most is not None and Decimal(self.at_least) > Decimal(self.at_most):
            raise ValueError("at_least is above at_most: nothing could ever match")
        return self


class AttributeDate(Frozen):
    """The date that the member has under the attribute lies between two, both included. Who has none never matches."""

    kind: Literal["attribute_date"] = "attribute_date"
    code: CodeText
    from_date: Day | None = None
    until_date: Day | None = None

    @model_validator(mode="after")
    def _check(self) -> "AttributeDate":
        if self.from_date is None and self.until_date is None:
            raise ValueError("name from_date, until_date or both")
        if self.from_date is not None and self.until_date is not None and self.from_date > self.until_date:
            raise ValueError("from_date is after until_date: nothing could ever match")
        return self


AttributeTest: TypeAlias = AttributeIs | AttributeNumber | AttributeDate


def attribute_holds(test: AttributeTest, says: str | None) -> bool:
    """Whether a value in canonical form meets the test; one of another type does not."""
    if says is None:
        return False
    match test:
        case AttributeIs(values=values):
            return says in values
        case AttributeNumber(at_least=least, at_most=most):
            if not _NUMBER.fullmatch(says):
                return False
            number = Decimal(says)
            return (least is None or number >= Decimal(least)) and (most is None or number <= Decimal(most))
        case AttributeDate(from_date=first, until_date=last):
            day = _date(says)
            return day is not None and (first is None or day >= first) and (last is None or day <= last)


def _date(says: str) -> date | None:
    try:
        return date.fromisoformat(says)
    except ValueError:
        return None
