"""The programme's point types: its own, which are spent, and others, which only count (status points)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StringConstraints

OTHER_TYPES_MAX = 20
EXPONENT_MAX = 6

TypeCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$")]


class OtherPointType(BaseModel):
    """A type beside the programme's own. ``status``: it is earned, kept and told, and never held, spent or given away.

    ``exponent`` is how many decimals are shown: amounts are whole numbers of the smallest unit everywhere.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: TypeCode
    use: Literal["status"] = "status"
    exponent: Annotated[StrictInt, Field(ge=0, le=EXPONENT_MAX)] = 0


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
        return frozenset(other.code for other in self.others)

    def of(self, code: str | None) -> str:
        """The type that is meant: the programme's own where none is named.

        Raises:
            UnknownPointTypeError: the programme has no such type.
        """
        known = (self.own, *(other.code for other in self.others))
        if code is not None and code not in known:
            raise UnknownPointTypeError(known)
        return self.own if code is None else code

    def is_spent(self, code: str) -> bool:
        """Whether points of this type can be spent at all: the programme's own."""
        return code == self.own

    def exponent_of(self, code: str) -> int:
        """How many decimals are shown; of a type that is not declared any more, none."""
        if code == self.own:
            return self.own_exponent
        return next((other.exponent for other in self.others if other.code == code), 0)


ONE_TYPE = PointTypes()
