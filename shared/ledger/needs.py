"""What has to be read before commands can be decided: as little as possible, and none of it for plain earning."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple
from uuid import UUID

from shared.ledger.commands import (
    LOTS_PER_HOLD_MAX,
    Capture,
    ClawBack,
    Command,
    Earn,
    EarnPending,
    Release,
    Reserve,
    SpendLate,
    Suspend,
    Void,
)
from shared.ledger.corrections import AdjustDown, Expire, Refund
from shared.ledger.gifts import Give
from shared.ledger.planning import Absorbed
from shared.ledger.records import Account, AccountKey, StoredHold
from shared.ledger.refunded import Refunded
from shared.ledger.terms import lapse_bound, pending_key

_EARNING = (Earn, EarnPending)


class Draw(NamedTuple):
    """How much an account's commands can draw first expiring first, and from how many lots (None: however many)."""

    account_id: int
    points: int
    lots_max: int | None


@dataclass(slots=True)
class Needs:
    """What to load: lots by key, the first lots to be spent of some accounts, and holds.

    Lots below ``bound`` may no longer be spent: none is drawn, and of the ``lapsing`` accounts all are loaded that have
    anything left.
    """

    named_lots: list[tuple[int, bytes]] = field(default_factory=list)
    draws: list[Draw] = field(default_factory=list)
    hold_ids: list[UUID] = field(default_factory=list)
    lapsing: list[int] = field(default_factory=list)
    bound: bytes = b""

    def spare(self, refunded: Sequence[Refunded]) -> None:
        """Load what came back and is to be left alone, and so much more to draw on."""
        if not refunded:
            return
        self.named_lots = list(dict.fromkeys([*self.named_lots, *((one.account_id, one.lot_key) for one in refunded)]))
        more: dict[int, int] = {}
        for one in refunded:
            more[one.account_id] = more.get(one.account_id, 0) + one.points
        self.draws = [draw._replace(points=draw.points + more.get(draw.account_id, 0)) for draw in self.draws]


def needs_of(accounts: Mapping[AccountKey, Account], commands: Sequence[Command], today: date | None = None) -> Needs:
    """What ``plan`` must be given for these commands; nothing twice.

    The points drawn are bounded by the sum that an account's commands ask for: each draws at most its own points, so
    lots that cover the sum cover every one of them, whatever is refused in between. A Reserve draws on at most
    ``LOTS_PER_HOLD_MAX`` lots, so n of them see enough in n times as many; where a command may take more lots, or
    empty one by name, the number is not bounded. Whoever is given points needs no lot read, as by earning.
    """
    needs = Needs()
    reading = {(command.owner_id.int, command.point_type) for command in commands if not isinstance(command, Earn)}
    full = _full(accounts, commands)
    if not reading and not full:
        return needs
    named: dict[tuple[int, bytes], None] = {}
    holds: dict[UUID, None] = {}
    points: dict[int, int] = {}
    reserves: dict[int, int] = {}  # of accounts that draw, how many holds they open
    unbounded: set[int] = set()
    for command in commands:
        key = (command.owner_id.int, command.point_type)
        if key not in reading:
            continue
        account_id = accounts[key].account_id
        if isinstance(command, ClawBack | Suspend | Release):
            named[account_id, command.terms.key] = None
            named[account_id, pending_key(command.terms, command.award)] = None
        if isinstance(command, Expire):
            named[account_id, command.terms.key] = None
        points[account_id] = points.get(account_id, 0) + _taken_at_most(accounts[key], command)
        if isinstance(command, ClawBack | SpendLate | Reserve | AdjustDown | Give):
            reserves[account_id] = reserves.get(account_id, 0) + isinstance(command, Reserve)
        if isinstance(command, ClawBack | Suspend | SpendLate | AdjustDown | Expire | Give):
            unbounded.add(account_id)
        if isinstance(command, Capture | Void | Refund):
            holds[command.hold_id] = None
    needs.named_lots, needs.hold_ids = list(named), list(holds)
    if today is not None:
        needs.bound, needs.lapsing = lapse_bound(today), list({**_lapsing(accounts, commands), **full})
    needs.draws = [
        Draw(account_id, points[account_id], None if account_id in unbounded else LOTS_PER_HOLD_MAX * count)
        for account_id, count in reserves.items()
    ]
    return needs


def _lapsing(accounts: Mapping[AccountKey, Account], commands: Sequence[Command]) -> dict[int, None]:
    """The accounts of which something may be taken, or to which something may come back."""
    return {
        accounts[command.owner_id.int, command.point_type].account_id: None
        for command in commands
        if not isinstance(command, Earn | EarnPending | Expire)
    }


def _full(accounts: Mapping[AccountKey, Account], commands: Sequence[Command]) -> dict[int, None]:
    """The accounts where a cap on the balance might trim what is earned, besides those where other things happen."""
    capped: dict[AccountKey, int] = {}
    for command in commands:
        if isinstance(command, _EARNING) and command.balance_max is not None:
            key = (command.owner_id.int, command.point_type)
            capped[key] = min(command.balance_max, capped.get(key, command.balance_max))
    if not capped:
        return {}
    arriving = dict.fromkeys(capped, 0)
    for command in commands:
        if isinstance(command, Give) and (key := (command.receiver_id.int, command.point_type)) in capped:
            arriving[key] += capped[key]
        if isinstance(command, _EARNING) and (key := (command.owner_id.int, command.point_type)) in capped:
            arriving[key] += command.points
    return {
        accounts[key].account_id: None
        for key, balance_max in capped.items()
        if accounts[key].available + accounts[key].held + accounts[key].pending + arriving[key] > balance_max
    }


def _taken_at_most(account: Account, command: Command) -> int:
    """How much a command takes from what is available at most, besides what arrives before it."""
    match command:
        case ClawBack() | Suspend() | SpendLate() | Reserve() | AdjustDown():
            return command.points
        case Give():
            return account.available if command.points is None else command.points + sum(dict(command.spared).values())
        case Expire():  # empties a lot that others may have meant to draw on
            return account.available
        case _:
            return 0


def survivors_lots(
    accounts: Mapping[AccountKey, Account], absorbed: Sequence[Absorbed], holds: Sequence[StoredHold]
) -> Needs:
    """The survivors' lots to which holds of absorbed accounts may give points back."""
    survivors = {one.account.account_id: accounts[one.survivor].account_id for one in absorbed}
    named = {
        (survivors[hold.account_id], part.lot.lot_key): None
        for hold in holds
        if hold.account_id in survivors
        for part in hold.parts
    }
    return Needs(named_lots=list(named))
