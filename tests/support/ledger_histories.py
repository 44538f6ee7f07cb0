"""Made-up histories of commands: few owners, few lots, small amounts, so that everything meets everything."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import Literal, NamedTuple, TypeVar
from uuid import UUID

from hypothesis import strategies as st

from shared.ledger import (
    AdjustDown,
    AdjustUp,
    Basket,
    Capture,
    ClawBack,
    Command,
    Earn,
    EarnPending,
    Expire,
    Funding,
    Give,
    Limits,
    LotTerms,
    Refund,
    Reinstate,
    Release,
    Reserve,
    SpendLate,
    Suspend,
    Void,
    WriteOff,
)

T = TypeVar("T")

OWNERS = tuple(UUID(int=number) for number in (3, 1, 2))
TERMS = (
    LotTerms("grocer", date(2026, 1, 1), date(2026, 6, 1)),
    LotTerms("fuel", date(2026, 1, 1), date(2026, 6, 1)),
    LotTerms("grocer", date(2026, 1, 2), date(2026, 6, 1)),
    LotTerms("grocer", date(2026, 1, 2), date(2026, 4, 1)),
    LotTerms("fuel", date(2026, 1, 1), None),
    LotTerms("fuel", date(2026, 1, 1), None, basis="gift"),
    LotTerms("fuel", date(2026, 1, 1), date(2026, 5, 1), limits=Limits(partners=("fuel",))),
    LotTerms("grocer", date(2026, 1, 1), date(2026, 5, 1), limits=Limits(partners=("fuel",), categories=("oil",))),
    LotTerms("grocer", date(2026, 1, 1), None, funding=Funding((("dairy", 2), ("grocer", 1)), campaign="milk")),
)
BASKETS = (
    None,
    Basket("fuel", date(2026, 2, 1)),
    Basket("fuel", date(2026, 2, 1), categories=frozenset({"oil", "coffee"})),
    Basket("grocer", date(2026, 2, 1), categories=frozenset({"oil"})),
)
AWARDS = (b"receipt-1", b"receipt-2")
BALANCE_CAPS = (None, None, None, 20, 45)
UNKNOWN_HOLD = UUID(int=999)
KINDS = (
    *(Earn, Earn, Earn, Earn, EarnPending, ClawBack, ClawBack, Suspend, Release),
    *(Reserve, Reserve, Reserve, Capture, Capture, Void, SpendLate, Refund, Refund),
    *(AdjustUp, AdjustDown, WriteOff, Expire, Reinstate),
)
GIVING = (*KINDS, Give, Give)  # the same, of owners who give to each other


class Merge(NamedTuple):
    """Two owners turn out to be one."""

    merged_id: UUID
    survivor_id: UUID


class Choices:
    """One drawn number, spent choice by choice: a draw a command instead of seven keeps thousands of them fast."""

    def __init__(self, number: int) -> None:
        self._number = number

    def up_to(self, highest: int) -> int:
        """From 1 to ``highest``."""
        self._number, choice = divmod(self._number, highest)
        return choice + 1

    def one_of(self, options: Sequence[T]) -> T:
        return options[self.up_to(len(options)) - 1]


def histories(
    commands_min: int = 20, commands_max: int = 40, *, kinds: Sequence[type[Command]] = GIVING
) -> st.SearchStrategy[list[Command]]:
    """Commands in an order, after a few points were earned."""
    numbers = st.lists(st.integers(0, 2**40 - 1), min_size=commands_min, max_size=commands_max)
    return numbers.map(lambda drawn: _history(drawn, kinds))


def _history(numbers: Sequence[int], kinds: Sequence[type[Command]]) -> list[Command]:
    commands: list[Command] = []
    holds: list[tuple[UUID, UUID]] = []
    for position, number in enumerate(numbers):
        choices = Choices(number)
        commands.append(_command(Earn if position < 3 else choices.one_of(kinds), choices, holds))
    return commands


def _command(kind: type[Command], choices: Choices, holds: list[tuple[UUID, UUID]]) -> Command:
    owner_id = choices.one_of((OWNERS[0], OWNERS[0], OWNERS[0], OWNERS[1]))
    reference = choices.one_of((b"a", b"b"))
    if kind in (Reserve, SpendLate, Capture, Void, Refund):
        return _of_hold(kind, choices, owner_id, reference, holds)
    if kind is Give:
        return _gift(choices, owner_id, reference)
    if kind is AdjustDown:
        return AdjustDown(owner_id, "points", reference, choices.up_to(15), choices.one_of((False, True)))
    if kind is WriteOff:
        return WriteOff(owner_id, "points", reference, choices.up_to(8))
    terms = choices.one_of(TERMS)
    if kind is Expire:
        return Expire(owner_id, "points", reference, terms)
    if kind is Earn:
        return Earn(owner_id, "points", reference, choices.up_to(15), terms, choices.one_of(BALANCE_CAPS))
    if kind is AdjustUp or kind is Reinstate:
        return kind(owner_id, "points", reference, choices.up_to(15), terms)
    return _of_award(kind, choices, owner_id, reference, terms)


def _of_hold(
    kind: type[Command], choices: Choices, owner_id: UUID, reference: bytes, holds: list[tuple[UUID, UUID]]
) -> Command:
    if kind is Reserve or kind is SpendLate:
        holds.append((UUID(int=1000 + len(holds)), owner_id))
        hold_id = holds[-1][0]
        if kind is Reserve:
            return Reserve(owner_id, "points", reference, choices.up_to(15), hold_id, choices.one_of(BASKETS))
        taken_as, basket = choices.one_of((hold_id, None)), choices.one_of(BASKETS)
        return SpendLate(owner_id, "points", reference, choices.up_to(15), "grocer", taken_as, basket)
    # A recent hold, mostly under its own owner: those asked for long ago are mostly closed.
    hold_id, its_owner = choices.one_of(holds[-3:] or [(UNKNOWN_HOLD, owner_id)])
    owner_id = choices.one_of((its_owner, its_owner, its_owner, owner_id))
    if kind is Void:
        return Void(owner_id, "points", reference, hold_id, choices.one_of(("void", "expire")))
    if kind is Refund:
        return Refund(owner_id, "points", reference, choices.up_to(8), hold_id, "fuel")
    points, keep_rest = choices.up_to(12), choices.one_of((False, True))
    return Capture(owner_id, "points", reference, points, hold_id, "fuel", keep_rest)


def _of_award(kind: type[Command], choices: Choices, owner_id: UUID, reference: bytes, terms: LotTerms) -> Command:
    award = choices.one_of(AWARDS)
    if kind is Release:
        return Release(owner_id, "points", reference, terms, award)
    if kind is EarnPending:
        points, balance_max = choices.up_to(15), choices.one_of(BALANCE_CAPS)
        return EarnPending(owner_id, "points", reference, points, terms, award, balance_max)
    if kind is Suspend:
        return Suspend(owner_id, "points", reference, choices.up_to(15), terms, award)
    return ClawBack(owner_id, "points", reference, choices.up_to(30), terms, award)


def _gift(choices: Choices, owner_id: UUID, reference: bytes) -> Give:
    receiver_id = choices.one_of(OWNERS)
    purpose: Literal["gift", "leave"] = choices.one_of(("gift", "leave"))
    points, is_partial = choices.one_of((None, choices.up_to(15))), choices.one_of((False, True))
    return Give(owner_id, "points", reference, receiver_id, purpose, points, is_partial)


def histories_with_merges(*, has_caps: bool = False) -> st.SearchStrategy[list[Command | Merge]]:
    """The same, of three owners, with merges here and there, also of those who are one already.

    ``has_caps``: what holds from before a merge reserve takes no room under a cap on the balance; on paper it would.
    """
    pairs = st.permutations(OWNERS).map(lambda owners: Merge(owners[0], owners[1]))
    merges = st.lists(st.tuples(st.integers(0, 40), pairs), min_size=1, max_size=4)
    owners = st.lists(st.sampled_from(OWNERS), min_size=40, max_size=40)
    return st.tuples(histories(), merges, owners).map(lambda drawn: _with_merges(*drawn, has_caps=has_caps))


def _with_merges(
    history: Sequence[Command], merges: Sequence[tuple[int, Merge]], owners: Sequence[UUID], *, has_caps: bool
) -> list[Command | Merge]:
    opened = {
        command.hold_id if isinstance(command, Reserve) else command.taken_as: owner
        for command, owner in zip(history, owners, strict=False)
        if isinstance(command, Reserve | SpendLate)
    }
    spread: list[Command | Merge] = []
    for command, owner in zip(history, owners, strict=False):
        # Captures, voids and refunds come under the owner who reserved, who may have been merged since.
        its_owner = opened.get(command.hold_id, owner) if isinstance(command, Capture | Void | Refund) else owner
        named = replace(command, owner_id=its_owner)
        if isinstance(named, Earn | EarnPending) and not has_caps:
            named = replace(named, balance_max=None)
        spread.append(named)
    for position, merge in merges:
        spread.insert(position, merge)
    return spread


def renamed(command: Command, own: Callable[[UUID], UUID]) -> Command:
    """The same command of other owners and holds."""
    command = replace(command, owner_id=own(command.owner_id))
    if isinstance(command, Give):
        return replace(command, receiver_id=own(command.receiver_id))
    if isinstance(command, Reserve | Capture | Void | Refund):
        return replace(command, hold_id=own(command.hold_id))
    if isinstance(command, SpendLate) and command.taken_as is not None:
        return replace(command, taken_as=own(command.taken_as))
    return command


def drawn_command(number: int, holds: list[tuple[UUID, UUID]], kinds: Sequence[type[Command]]) -> Command:
    """The command of one of these kinds that a drawn number stands for; a hold that it opens is added to ``holds``."""
    choices = Choices(number)
    return _command(choices.one_of(kinds), choices, holds)


def cuts() -> st.SearchStrategy[list[int]]:
    """Sizes of batches, used over and over."""
    return st.lists(st.integers(1, 12), min_size=1, max_size=5)


def cut(items: Sequence[T], sizes: Sequence[int]) -> list[list[T]]:
    """The same items in batches of these sizes."""
    batches: list[list[T]] = []
    start = 0
    while start < len(items):
        size = sizes[len(batches) % len(sizes)]
        batches.append(list(items[start : start + size]))
        start += size
    return batches
