"""Predicates over what a member event says: its payload, as its type declares it."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, StrictInt

from services.accrual.domain.rules.ranges import Range
from services.accrual.domain.rules.values import SUM_MAX, Codes, CodeText, Frozen

PayloadInt: TypeAlias = Annotated[StrictInt, Field(ge=0, le=SUM_MAX)]


class PayloadIs(Frozen):
    """What the event says under the property is one of these: codes, or ``true``, ``false``.

    An event that says nothing under it never matches.
    """

    kind: Literal["payload"] = "payload"
    property: CodeText
    values: Codes


class PayloadNumber(Range):
    """The whole number that the event says under the property lies between two, both included. Without it: no match."""

    kind: Literal["payload_number"] = "payload_number"
    property: CodeText
    at_least: PayloadInt | None = None
    at_most: PayloadInt | None = None


PayloadTest: TypeAlias = PayloadIs | PayloadNumber
