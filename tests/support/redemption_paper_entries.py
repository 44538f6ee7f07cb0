"""What a person writes down of a redemption, of what a receipt took of it, and of a return."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID


@dataclass
class Took:
    """What a receipt took of a redemption: of each purse, late, and what is owed for it. ``back_by``: what of it went
    back, by document."""

    parts: list[tuple[int, UUID, int]]
    late: int
    owed: int
    uncovered: int
    released: int
    open_before: int
    because: str | None
    back_by: dict[str, int] = field(default_factory=dict)
    settled: int = 0  # of points: went back, or was left to the till to pay out in money
    unnamed: dict[int, int] = field(default_factory=dict)  # went back for returns of which no goods were named yet

    @property
    def points(self) -> int:
        return sum(points for _, _, points in self.parts) + self.late + self.owed

    @property
    def back(self) -> int:
        return sum(self.back_by.values())

    @property
    def left(self) -> int:
        """What may still go back."""
        return self.points - max(self.back, self.settled)

    @property
    def named(self) -> int:
        """What was settled of goods that are named."""
        return max(self.back, self.settled) - sum(self.unnamed.values())

    @property
    def asked(self) -> int:
        return self.points + self.uncovered


@dataclass
class PaperRedemption:
    """One redemption; a purse is a member's, with the name of what is reserved of it."""

    state: str = "awaited"
    is_known: bool = True  # to its partner's tills: not where nothing but a receipt that was voided has named it
    member: int | None = None
    held: int = 0
    purses: list[tuple[int, UUID]] = field(default_factory=list)
    ends: datetime | None = None
    is_taken_in_parts: bool = False
    took: dict[int, Took] = field(default_factory=dict)


@dataclass
class PaperReturn:
    """A return that was read: of a receipt, when, and what became of it."""

    receipt: int
    at: datetime
    state: str = "waiting"
