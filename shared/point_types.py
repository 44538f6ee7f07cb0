"""The programme's point types: its own, which are spent, and others, which are spent too, or only count."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StringConstraints, model_validator

OTHER_TYPES_MAX = 20
MINOR_PER_POINT_MAX = 1_000_000
EXPONENT_MAX = 6

TypeCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$")]


class OtherPointType(BaseModel):
    """A type beside the programme's own. ``status``: it is earned, kept and told, and never held, spent or given away.
    ``spend``: it is spent like the programme's own, and pays ``minor_per_point`` minor units of the currency at a till.

    ``exponent`` is how many decimals are shown: amounts are whole numbers of the smallest unit everywhere.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: TypeCode
    use: Literal["status", "spend"] = "status"
    exponent: Annotated[StrictInt, Field(ge=0, le=EXPONENT_MAX)] = 0
    minor_per_point: Annotated[StrictInt, Field(ge=1, le=MINOR_PER_POINT_MAX)] = 1

    @model_validator(mode="after")
    def _has_a_price_only_if_spent(self) -> Self:
        if self.use == "status" and self.minor_per_point != 1:
            raise ValueError(f"minor_per_point of {self.code}: status points pay nothing, leave it out")
        return self


@dataclass(frozen=True, slots=True)
class Unit:
    """What points of one type are called, and how many decimals of them are shown. ``name`` None: simply points."""

    code: str
    exponent: int = 0
    name: str | None = None

    def amount(self, points: int) -> str:
        """An amount of the smallest unit with its decimals: 1,234 or 12.34."""
        return f"{Decimal(points).scaleb(-self.exponent):,.{self.exponent}f}"

    def in_words(self, points: int) -> str:
        """An amount of the smallest unit, as a person reads it: 1 point, 1,234 points, 12.34 miles."""
        amount = self.amount(points)
        if self.name is not None:
            return f"{amount} {self.name}"
        return "1 point" if amount == "1" else f"{amount} points"


POINTS = Unit("points")


class UnknownPointTypeError(Exception):
    """The programme has no such type of points; the message names those it has."""

    def __init__(self, known: Iterable[str]) -> None:
        super().__init__(f"/point_type: the programme has the types {', '.join(sorted(known))}")


@dataclass(frozen=True, slots=True)
class PointTypes:
    """All types of a programme."""

    own: str = "points"
    own_exponent: int = 0
    others: tuple[OtherPointType, ...] = ()

    @property
    def status_codes(self) -> frozenset[str]:
        """The types that are never spent."""
        return frozenset(other.code for other in self.others if other.use == "status")

    @property
    def codes(self) -> tuple[str, ...]:
        """All types, the programme's own first."""
        return (self.own, *(other.code for other in self.others))

    @property
    def other_codes(self) -> frozenset[str]:
        """All beside the programme's own."""
        return frozenset(other.code for other in self.others)

    @property
    def spent_codes(self) -> tuple[str, ...]:
        """The types that can be spent, the programme's own first."""
        return (self.own, *(other.code for other in self.others if other.use == "spend"))

    @property
    def prices(self) -> dict[str, int]:
        """What a point of each other type that is spent pays at a till, in minor units."""
        return {other.code: other.minor_per_point for other in self.others if other.use == "spend"}

    def of(self, code: str | None) -> str:
        """The type that is meant: the programme's own where none is named.

        Raises:
            UnknownPointTypeError: the programme has no such type.
        """
        if code is not None and code not in self.codes:
            raise UnknownPointTypeError(self.codes)
        return self.own if code is None else code

    def is_spent(self, code: str) -> bool:
        """Whether points of this type can be spent at all."""
        return code in self.spent_codes

    def unit_of(self, code: str) -> Unit:
        """How amounts of this type are said."""
        return Unit(code, self.exponent_of(code), None if code == self.own else code)

    def exponent_of(self, code: str) -> int:
        """How many decimals are shown; of a type that is not declared any more, none."""
        if code == self.own:
            return self.own_exponent
        return next((other.exponent for other in self.others if other.code == code), 0)


ONE_TYPE = PointTypes()
