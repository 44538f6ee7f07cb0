"""What each rule made of a receipt: every case has a name."""

from typing import NamedTuple, TypeAlias

from services.accrual.domain.rules.terms import PartTerms


class Trimmed(NamedTuple):
    """A cap that left a rule less: which, and from how many points to how many."""

    cap: str
    from_points: int
    to_points: int


class Applied(NamedTuple):
    """A rule that gave points: exactly ``exact / denominator``, rounded to ``points``, on ``amount_minor``.

    ``points`` are what is left of them after ``trims``, in the order in which caps were applied.
    """

    rule_id: str
    exact: int
    points: int
    amount_minor: int
    trims: tuple[Trimmed, ...] = ()

    @property
    def rounded(self) -> int:
        """The points before any cap."""
        return self.trims[0].from_points if self.trims else self.points


class Lost(NamedTuple):
    """A rule that would have given points, had not another of its group won. ``points`` where both were weighed."""

    rule_id: str
    group: str
    winner_id: str
    points: int | None


class NotMatched(NamedTuple):
    """A rule that did not apply: which predicate failed, what it required and what was there."""

    rule_id: str
    predicate: str
    required: str
    observed: str


Outcome: TypeAlias = Applied | Lost | NotMatched


class Usage(NamedTuple):
    """What an award takes of a member's cap or of a budget: to be counted with it."""

    name: str
    points: int
    receipts: int


class Part(NamedTuple):
    """Points of one type on one set of terms, and the rules that gave them, each with its points."""

    terms: PartTerms
    points: int
    by_rule: tuple[tuple[str, int], ...] = ()

    @property
    def point_type(self) -> str | None:
        """Of which type; None: the programme's own."""
        return self.terms.point_type
