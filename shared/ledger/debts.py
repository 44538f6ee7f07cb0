"""What an owner owes, claw-back by claw-back: to whom, since when, for which effect. Pure.

Whoever took points back and did not get them carries that loss until a credit of the owner's clears it. The oldest debt
is cleared first.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

_LAST = datetime.max.replace(tzinfo=UTC)


class StoredDebt(NamedTuple):
    """A debt's row that has anything left: ``owed`` to ``issuer`` since a claw-back under ``reference``."""

    account_id: int
    debt_id: int
    issuer: str
    reference: bytes
    owed_since: datetime
    owed: int


@dataclass(slots=True)
class Debt:
    """A debt as the commands so far leave it. ``owed_since`` is None where it began just now."""

    account_id: int
    issuer: str
    reference: bytes
    owed: int
    owed_since: datetime | None = None
    stored: StoredDebt | None = None


def owed_name(taken_as: UUID) -> bytes:
    """What a debt of a purchase bears as its reference: never a receipt key, which has parts."""
    return f"owed:{taken_as}".encode()


def debt_of(stored: StoredDebt) -> Debt:
    """A debt as it was read."""
    return Debt(stored.account_id, stored.issuer, stored.reference, stored.owed, stored.owed_since, stored)


def pay(debts: Iterable[Debt], points: int) -> list[tuple[str, int]]:
    """Take ``points`` off these debts, the first of them first: whose claw-backs are paid, and how much of each.

    Pays less than ``points`` only where less is owed.
    """
    paid: list[tuple[str, int]] = []
    for debt in debts:
        if points == 0:
            break
        if part := min(points, debt.owed):
            debt.owed -= part
            points -= part
            paid.append((debt.issuer, part))
    return paid


def next_paid(paid: list[tuple[str, int]], points: int) -> Iterator[tuple[str, int]]:
    """Take ``points`` off the front of what is paid, part by part."""
    while points:
        issuer, part = paid[0]
        share = min(part, points)
        points -= share
        if share == part:
            paid.pop(0)
        else:
            paid[0] = (issuer, part - share)
        yield issuer, share


def hand_over(debts: Sequence[Debt], own: Sequence[Debt], account_id: int) -> list[Debt]:
    """The debts of an account with those of another that was merged into it: in the order in which they began.

    All of them were read. Of two that began at once the account's own comes first.
    """
    moved = [Debt(account_id, debt.issuer, debt.reference, debt.owed, debt.owed_since) for debt in debts]
    for debt in debts:
        debt.owed = 0
    return sorted([*own, *moved], key=lambda debt: debt.owed_since or _LAST)
