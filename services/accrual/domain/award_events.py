"""What may be told of a receipt whose points wait for it, and what came of that. Pure."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

# ``recorded``: the receipt has not been decided, and will find it; ``nothing_waits``: none of its points wait for this.
ToldResult: TypeAlias = Literal["recorded", "released", "held", "too_late", "nothing_waits"]


class AwardEventError(Exception):
    """Why an event cannot be told of a receipt."""


class ReceiptEarnsNothingError(AwardEventError):
    """The receipt was refused, or is a return: nothing of it waits, or ever will."""


@dataclass(frozen=True, slots=True)
class ToldPart:
    """Points that waited for the event, and how they stand."""

    point_type: str
    points: int
    result: Literal["released", "held", "too_late"]


@dataclass(frozen=True, slots=True)
class Told:
    """What came of an event: the parts that waited for it, and all of them in a word."""

    result: ToldResult
    parts: tuple[ToldPart, ...] = ()
