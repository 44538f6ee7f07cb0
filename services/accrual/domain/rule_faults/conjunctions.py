"""Whether an all/any/not tree can hold at all, and where it contradicts itself; the same for every kind of leaf. Pure.

What a leaf demands is a constraint on a dimension: a store lies in one group, a day is one day of the week. Constraints
on one dimension that nothing meets contradict each other, and so do a leaf and its opposite. Whatever cannot be judged
so may hold: what is found is certain, and what is not found may still never happen.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple, TypeAlias

from shared.faults import Fault, below


class Codes(NamedTuple):
    """One of a set (None: any there is), and none of another."""

    allowed: frozenset[Any] | None
    refused: frozenset[Any] = frozenset()

    def meet(self, other: "Codes") -> "Codes":
        """What meets both."""
        if self.allowed is None or other.allowed is None:
            allowed = self.allowed if other.allowed is None else other.allowed
        else:
            allowed = self.allowed & other.allowed
        return Codes(allowed, self.refused | other.refused)

    @property
    def is_empty(self) -> bool:
        """Whether nothing meets it."""
        return self.allowed is not None and not self.allowed - self.refused


class Interval(NamedTuple):
    """From ``low`` to ``high``, both included; None: without a bound."""

    low: int | None
    high: int | None

    def meet(self, other: "Interval") -> "Interval":
        """What meets both."""
        lows = [low for low in (self.low, other.low) if low is not None]
        highs = [high for high in (self.high, other.high) if high is not None]
        return Interval(max(lows, default=None), min(highs, default=None))

    @property
    def is_empty(self) -> bool:
        """Whether nothing meets it."""
        return self.low is not None and self.high is not None and self.low > self.high


Constraint: TypeAlias = Codes | Interval


class Demand(NamedTuple):
    """What a leaf demands on one dimension."""

    dimension: Hashable
    constraint: Constraint


class _Met(NamedTuple):
    """No pointer: the rule set's own beginning."""

    constraint: Constraint
    pointer: str


# What is demanded so far, by dimension, and who demanded it last.
State: TypeAlias = dict[Hashable, _Met]
# A demand from outside of the tree, and where it stands.
Outer: TypeAlias = tuple[str, Demand]
# The demands of a leaf, or of its opposite where the second argument is False.
Demands: TypeAlias = Callable[[Any, bool], Sequence[Demand]]
# Dimensions that bound each other: whether a state holds them in a way that cannot be.
Clash: TypeAlias = Callable[[dict[Hashable, Constraint]], bool]


class Tree(NamedTuple):
    """How to read one kind of tree."""

    demands: Demands
    clash: Clash = lambda _: False

    def find_contradictions(self, root: Any, pointer: str, outer: Sequence[Outer] = ()) -> list[Fault]:
        """Every place at which the tree cannot hold beside the ``outer`` demands; none where it may."""
        faults: list[Fault] = []
        state: State = {}
        met = [_meet(state, place, demand, faults) for place, demand in outer]
        if all(met) and root is not None:
            self._holds([(root, pointer, True)], state, faults)
        return faults

    def _holds(self, nodes: Sequence[tuple[Any, str, bool]], state: State, faults: list[Fault]) -> bool:
        """Whether all of these may hold together. Choices are looked at last, when all that is certain is known."""
        choices: list[tuple[list[tuple[Any, str, bool]], str]] = []
        waiting, may_hold = list(nodes), True
        while waiting:
            node, pointer, is_wanted = waiting.pop(0)
            match node.kind:
                case "not":
                    waiting.insert(0, (node.of, below(pointer, "of"), not is_wanted))
                case "all" | "any":
                    parts = [(part, below(below(pointer, "of"), at), is_wanted) for at, part in enumerate(node.of)]
                    if (node.kind == "all") is is_wanted:
                        waiting = parts + waiting
                    else:
                        choices.append((parts, pointer))
                case _:
                    may_hold = self._meet(node, pointer, is_wanted, state, faults) and may_hold
        if not may_hold:
            return False
        for parts, pointer in choices:
            holding = [self._holds([part], dict(state), faults) for part in parts]
            if not any(holding):
                faults.append(Fault(pointer, "none of these can hold beside the other conditions"))
                may_hold = False
        return may_hold

    def _meet(self, leaf: Any, pointer: str, is_wanted: bool, state: State, faults: list[Fault]) -> bool:
        itself = Demand(("leaf", leaf), Codes(frozenset({is_wanted})))
        for demand in (itself, *self.demands(leaf, is_wanted)):
            if not _meet(state, pointer, demand, faults):
                return False
            if self.clash({dimension: one.constraint for dimension, one in state.items()}):
                faults.append(Fault(pointer, "cannot hold beside the other conditions"))
                return False
        return True


def _meet(state: State, pointer: str, demand: Demand, faults: list[Fault]) -> bool:
    known = state.get(demand.dimension)
    met = demand.constraint
    if known is not None:
        met = known.constraint.meet(demand.constraint)  # type: ignore[arg-type]  # a dimension has one kind
    if met.is_empty:
        words = "can never hold"
        if known is not None:
            words = f"contradicts {known.pointer}: both can never hold at once" if known.pointer else TOO_LATE
        faults.append(Fault(pointer, words))
        return False
    state[demand.dimension] = _Met(met, pointer)
    return True


TOO_LATE = "this is over before the rule set can take effect: the rule can never apply"
