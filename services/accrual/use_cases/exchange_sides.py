"""What the ledger is asked for exchanges, and what is kept of them beside their two sides."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, TypeAlias

from services.accrual.domain.award_parts import EarnedPart, TakenPart
from services.accrual.domain.decisions import Awarded, ClawedBack, Exchanged, GivenBack, UnlinkedReturn
from services.accrual.repository.awards import StoredAward
from services.accrual.repository.exchanges import VoidedRow
from shared.ledger import Command, Earn, EarnPending, Posted, Suspend


class Asked(NamedTuple):
    """What the ledger is asked, for which decision, and of which part of an award that has several; ``exchange`` is
    there where that is one side of it.
    """

    decision: Awarded | ClawedBack | UnlinkedReturn | GivenBack
    command: Command
    part: EarnedPart | TakenPart | None = None
    exchange: Exchanged | None = None

    @property
    def award_key(self) -> bytes:
        """The receipt whose award it is about."""
        if isinstance(self.decision, ClawedBack | GivenBack):
            return self.decision.original_key
        return self.decision.document.natural_key


# By exchange, what the ledger was asked for it and what it answered, in this order.
AtOnce: TypeAlias = Mapping[bytes, Sequence[tuple[Asked, Posted]]]


def by_exchange(posted: Iterable[tuple[Asked, Posted]]) -> AtOnce:
    """What was moved at once."""
    found: dict[bytes, list[tuple[Asked, Posted]]] = {}
    for asked, outcome in posted:
        if asked.exchange is not None:
            found.setdefault(asked.exchange.document.natural_key, []).append((asked, outcome))
    return found


def without_award(exchanged: Iterable[Exchanged]) -> list[Exchanged]:
    """Exchanges whose new goods earned nothing: their documents are kept for whoever voids them."""
    return [one for one in exchanged if one.unearned is not None]


def with_room(asked: Iterable[Asked], room: int) -> list[Asked]:
    """The same, where so many points leave at once: a cap on the balance is asked what there is afterwards."""
    return [
        one._replace(command=replace(one.command, balance_max=one.command.balance_max + room))
        if isinstance(one.command, Earn | EarnPending) and one.command.balance_max is not None
        else one
        for one in asked
    ]


def give_back(decision: GivenBack, award: StoredAward, *, is_held: bool) -> list[Asked]:
    """Give back of an award of one lot what the void of an exchange no longer takes; what is held goes on waiting."""
    if not decision.points:
        return []
    owner_id, key, terms = decision.owner_id, decision.document.natural_key, award.terms
    commands: list[Command] = [Earn(owner_id, award.point_type, key, decision.points, terms)]
    if is_held:
        left = award.points - award.taken_back
        commands.append(Suspend(owner_id, award.point_type, key, left, terms, award.natural_key))
    return [Asked(decision, command) for command in commands]


def voided_rows(exchanged: Iterable[Exchanged]) -> list[VoidedRow]:
    """What is kept of exchanges that these documents have voided."""
    return [
        VoidedRow(
            one.taken.original_key,
            one.given_back.original_key if one.given_back is not None else b"",
            one.document.natural_key,
            one.given_back.points if one.given_back is not None else None,
        )
        for one in exchanged
        if one.taken.cause == "void"
    ]
