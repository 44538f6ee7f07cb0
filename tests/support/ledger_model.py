"""The ledger as a person would keep it on paper: one owner's lots, holds and debt, and nothing derived.

Written apart from ``shared.ledger.planning`` on purpose: no books, no legs, no transfers, no plan. Balances are sums.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TypeAlias
from uuid import UUID

from shared.ledger import (
    AdjustDown,
    AdjustUp,
    Balances,
    Basket,
    Capture,
    ClawBack,
    Command,
    Earn,
    EarnPending,
    Expire,
    Give,
    LotTerms,
    Outcome,
    Posted,
    Refund,
    RefundOwed,
    Refused,
    Reinstate,
    Release,
    Reserve,
    SpendLate,
    Suspend,
    Void,
    WriteOff,
)
from tests.support.ledger_paper import OwnCommand, PaperHold
from tests.support.ledger_shares import by_funding, by_issuer, by_limits

LotName: TypeAlias = tuple[LotTerms, bytes | None]  # terms, and the award whose points wait there


@dataclass
class PaperOwner:
    """One owner's points of one type."""

    lots_per_hold_max: int
    lots: dict[LotName, int] = field(default_factory=lambda: defaultdict(int))
    holds: dict[UUID, PaperHold] = field(default_factory=dict)
    owing: list[tuple[int, str, bytes]] = field(default_factory=list)  # every point owed: since when, to whom, for what
    moment: int = 0
    today: date | None = None  # None: nobody knows the day, and nothing lapses

    @property
    def balance(self) -> Balances:
        available = sum(points for (_, award), points in self.lots.items() if award is None)
        pending = sum(points for (_, award), points in self.lots.items() if award is not None)
        held = sum(sum(hold.reserved.values()) for hold in self.holds.values())
        return Balances(available, held, pending, len(self.owing))

    def in_order(self) -> list[LotTerms]:
        """What is there: first expiring first, the older first among equals."""
        remaining = [terms for (terms, award), points in self.lots.items() if award is None and points]
        return sorted(remaining, key=lambda terms: (terms.expires_on or date.max, terms.available_from, terms.key))

    def spendable(self, basket: Basket | None) -> list[LotTerms]:
        """What this basket may use: the most limited first, otherwise in the order above."""
        usable = [
            terms
            for terms in self.in_order()
            if terms.limits is None or (basket is not None and terms.limits.admit(basket))
        ]
        return sorted(usable, key=lambda terms: 0 if terms.limits is None else -terms.limits.narrowness)

    def draw(self, points: int, order: list[LotTerms] | None = None) -> dict[LotTerms, int]:
        taken: dict[LotTerms, int] = {}
        for terms in self.in_order() if order is None else order:
            if points == 0:
                break
            taken[terms] = min(points, self.lots[terms, None])
            self.lots[terms, None] -= taken[terms]
            points -= taken[terms]
        return taken

    def clear_debt(self) -> int:
        cleared = sum(self.draw(len(self.owing)).values())
        del self.owing[:cleared]
        return cleared

    def lapse(self) -> None:
        """Points may be spent until the day before their last has ended; from then on nobody has them."""
        for terms, award in self.lots:
            is_over = self.today is not None and terms.expires_on is not None and terms.expires_on <= self.today
            if award is None and is_over:
                self.lots[terms, None] = 0

    def apply(self, command: OwnCommand) -> Outcome:
        """What the command does, and what lapses with it: what has come back too late pays what is owed first."""
        outcome = self.decide(command)
        if isinstance(command, Capture | Void | Refund) and command.came_back_expires_on is not None:
            self.prolong(command.came_back_expires_on)
        self.lapse()
        return outcome

    def prolong(self, expires_on: date) -> None:
        """What has just come back after its last day is written down once more, with a later one."""
        for (terms, award), points in list(self.lots.items()):
            is_over = self.today is not None and terms.expires_on is not None and terms.expires_on <= self.today
            if award is None and is_over and points:
                self.lots[terms, None] = 0
                self.lots[replace(terms, expires_on=expires_on), None] += points

    def decide(self, command: OwnCommand) -> Outcome:
        match command:
            case Earn() | EarnPending() | Suspend() | Release() | AdjustUp() | Reinstate():
                return self.move(command)
            case ClawBack():
                return self.claw_back(command)
            case Reserve():
                return self.reserve(command)
            case Capture():
                return self.capture(command)
            case Void():
                return self.void(command)
            case SpendLate() | AdjustDown():
                return self.take(command)
            case WriteOff():
                points = min(command.points, len(self.owing))
                forgiven = Counter(issuer for _, issuer, _ in self.owing[:points])
                del self.owing[:points]
                issuers = tuple(sorted(forgiven.items()))
                return Posted(command, points, self.balance, shortfall=command.points - points, issuers=issuers)
            case Refund() | RefundOwed():
                return self.refund(command)
            case Expire():
                points = self.lots.pop((command.terms, None), 0)
                gone = {command.terms: points}
                return Posted(command, points, self.balance, issuers=by_issuer(gone), funded=by_funding(gone))

    def move(self, command: Earn | EarnPending | Suspend | Release | AdjustUp | Reinstate) -> Outcome:
        """What comes to a lot, from elsewhere or from another lot; what is asked for and not there is short."""
        asked = points = self.lots[command.terms, command.award] if isinstance(command, Release) else command.points
        trimmed = 0
        if isinstance(command, Suspend):
            asked = max(0, asked - self.lots[command.terms, command.award])  # that is aside already
            points = min(asked, self.lots[command.terms, None])
            self.lots[command.terms, None] -= points
        if isinstance(command, Release):
            self.lots[command.terms, command.award] = 0
        if isinstance(command, Earn | EarnPending) and command.balance_max is not None:
            available, held, pending, debt = self.balance
            points = min(asked, max(0, command.balance_max - available - held - pending + debt))
            asked, trimmed = points, asked - points
        award = command.award if isinstance(command, EarnPending | Suspend) else None
        into = command.into if isinstance(command, Release) else None
        self.lots[into or command.terms, award] += points
        cleared = self.clear_debt()
        return Posted(
            command, points, shortfall=asked - points, debt_cleared=cleared, balance=self.balance, trimmed=trimmed
        )

    def take(self, command: SpendLate | AdjustDown) -> Outcome:
        if isinstance(command, AdjustDown) and not command.is_partial and command.points > self.balance.available:
            return Refused(command, "insufficient_points", self.balance)
        drawn = self.draw(command.points, self.spendable(command.basket) if isinstance(command, SpendLate) else None)
        points = sum(drawn.values())
        shortfall = command.points - points
        if isinstance(command, SpendLate) and command.taken_as is not None and points:
            self.holds[command.taken_as] = PaperHold(dict.fromkeys(drawn, 0), defaultdict(int, drawn), state="captured")
        owed = shortfall if isinstance(command, SpendLate) and command.owes else 0
        if isinstance(command, SpendLate) and command.taken_as is not None:
            self.owing += [(self.moment, command.partner_id, str(command.taken_as).encode())] * owed
        return Posted(
            command,
            points,
            shortfall=shortfall - owed,
            debt_added=owed,
            debt_cleared=self.clear_debt(),
            balance=self.balance,
            issuers=by_issuer(drawn),
            funded=by_funding(drawn),
        )

    def claw_back(self, command: ClawBack) -> Outcome:
        left = command.points
        for name in ((command.terms, command.award), (command.terms, None)):
            taken = min(left, self.lots[name])
            self.lots[name] -= taken
            left -= taken
        self.owing += [(self.moment, command.terms.issuer, command.reference)] * left
        cleared = self.clear_debt()
        return Posted(command, command.points, debt_added=left, debt_cleared=cleared, balance=self.balance)

    def reserve(self, command: Reserve) -> Outcome:
        if command.points > self.balance.available:
            return Refused(command, "insufficient_points", self.balance)
        usable = self.spendable(command.basket)
        reachable = usable[: self.lots_per_hold_max]
        if command.points > sum(self.lots[terms, None] for terms in reachable):
            is_full = len(reachable) == self.lots_per_hold_max
            return Refused(command, "too_many_lots" if is_full else "insufficient_points", self.balance)
        self.holds[command.hold_id] = PaperHold(self.draw(command.points, usable))
        return Posted(command, command.points, balance=self.balance)

    def capture(self, command: Capture) -> Outcome:
        hold = self.holds.get(command.hold_id)
        if hold is None or hold.state != "open":
            return Refused(command, "hold_not_open", self.balance)
        if command.points > sum(hold.reserved.values()):
            return Refused(command, "exceeds_hold", self.balance)
        left = command.points
        taken_now: dict[LotTerms, int] = {}
        for terms in hold.reserved:  # drawn in the order of spending
            taken = min(left, hold.reserved[terms])
            hold.reserved[terms] -= taken
            hold.captured[terms] += taken
            taken_now[terms] = taken
            left -= taken
        released = 0 if command.keep_rest else self.let_go(hold)
        if not any(hold.reserved.values()):
            hold.state = "captured"
        cleared = self.clear_debt()
        return Posted(
            command,
            command.points,
            debt_cleared=cleared,
            released=released,
            balance=self.balance,
            issuers=by_issuer(taken_now),
            funded=by_funding(taken_now),
            limited=by_limits(taken_now),
        )

    def refund(self, command: Refund | RefundOwed) -> Outcome:
        """The points that came last to the partner go back first, one by one; of what is owed, as far as it is."""
        if isinstance(command, RefundOwed):
            mine = [one for one in self.owing if one[1:] == (command.partner_id, str(command.owed_as).encode())][
                : command.points
            ]
            for one in mine:
                self.owing.remove(one)
            self.lots[command.terms, None] += command.points - len(mine)
            return Posted(command, command.points, debt_cleared=self.clear_debt(), balance=self.balance)
        hold = self.holds.get(command.hold_id, PaperHold({}))
        left = [terms for terms in hold.reserved for _ in range(hold.captured[terms] - hold.refunded[terms])]
        if command.points > len(left):
            return Refused(command, "exceeds_captured", self.balance)
        given = Counter(reversed(left[-command.points :]))  # the last first
        for terms, points in given.items():
            hold.refunded[terms] += points
            self.lots[terms, None] += points
        cleared = self.clear_debt()
        issuers, funded = by_issuer(given), by_funding(given)
        return Posted(command, command.points, self.balance, debt_cleared=cleared, issuers=issuers, funded=funded)

    def void(self, command: Void) -> Outcome:
        hold = self.holds.get(command.hold_id)
        if hold is None or hold.state != "open":
            return Refused(command, "hold_not_open", self.balance)
        if command.points is not None and command.points > sum(hold.reserved.values()):
            return Refused(command, "exceeds_hold", self.balance)
        points = self.let_go(hold, command.points)
        if not any(hold.reserved.values()):
            hold.state = {"void": "voided", "expire": "expired"}[command.purpose]
        cleared = self.clear_debt()
        return Posted(command, points, debt_cleared=cleared, released=points, balance=self.balance)

    def let_go(self, hold: PaperHold, points: int | None = None) -> int:
        """All that it reserves, or so many points, those that would be spent last first."""
        reserved = [terms for terms, points in hold.reserved.items() for _ in range(points)]
        gone = Counter(reserved if points is None else reserved[-points:])
        for terms, part in gone.items():
            self.lots[terms, None] += part
            hold.reserved[terms] -= part
        return sum(gone.values())


class PaperLedger:
    """Every owner, one command at a time."""

    def __init__(self, lots_per_hold_max: int) -> None:
        self.owners: dict[tuple[UUID, str], PaperOwner] = defaultdict(lambda: PaperOwner(lots_per_hold_max))
        self.survivors: dict[UUID, UUID] = {}
        self.moment = 0
        self.today: date | None = None

    def see_day(self, today: date) -> None:
        """It is another day: what could be spent until yesterday is nobody's any more."""
        self.today = today
        for owner in self.owners.values():
            owner.today = today
            owner.lapse()

    def post(self, command: Command) -> Outcome:
        command = replace(command, owner_id=self.one(command.owner_id))
        owner = self.owners[command.owner_id, command.point_type]
        owner.moment, owner.today = self.moment, self.today
        if isinstance(command, Give):
            command = replace(command, receiver_id=self.one(command.receiver_id))
            receiver = self.owners[command.receiver_id, command.point_type]
            receiver.today = self.today
            return self.give(owner, receiver, command)
        return owner.apply(command)

    def give(self, giver: PaperOwner, receiver: PaperOwner, command: Give) -> Outcome:
        """Lots are written off one page and onto the other; what was given as a gift is called one."""
        if giver is receiver:
            return Refused(command, "same_owner", giver.balance)
        asked = giver.balance.available if command.points is None else command.points
        if asked > giver.balance.available and not command.is_partial:
            return Refused(command, "insufficient_points", giver.balance)
        drawn = giver.draw(asked)
        for terms, points in drawn.items():
            kept = replace(terms, basis="gift") if command.purpose == "gift" else terms
            receiver.lots[kept, None] += points
        points, cleared = sum(drawn.values()), receiver.clear_debt()
        return Posted(
            command,
            points,
            shortfall=asked - points,
            debt_cleared=cleared,
            balance=giver.balance,
            issuers=by_issuer(drawn),
            receiver=receiver.balance,
            funded=by_funding(drawn),
        )

    def one(self, owner_id: UUID) -> UUID:
        """Who answers for this owner: on paper a chain is followed to its end."""
        while owner_id in self.survivors:
            owner_id = self.survivors[owner_id]
        return owner_id

    def merge(self, merged_id: UUID, survivor_id: UUID) -> None:
        """Everything of one owner goes onto the other's page, holds included."""
        merged_id, survivor_id = self.one(merged_id), self.one(survivor_id)
        if merged_id == survivor_id:
            return
        self.survivors[merged_id] = survivor_id
        for owner_id, point_type in [key for key in self.owners if key[0] == merged_id]:
            merged, survivor = self.owners.pop((owner_id, point_type)), self.owners[survivor_id, point_type]
            survivor.today = self.today
            for name, points in merged.lots.items():
                survivor.lots[name] += points
            survivor.holds |= merged.holds
            survivor.owing = sorted([*survivor.owing, *merged.owing], key=lambda owed: owed[0])
            survivor.clear_debt()

    def owed(self) -> dict[tuple[UUID, str], dict[str, int]]:
        """What owners owe, by the issuers who wait for it."""
        return {
            key: dict(Counter(issuer for _, issuer, _ in owner.owing))
            for key, owner in self.owners.items()
            if owner.owing
        }

    def lots(self) -> dict[tuple[UUID, str, LotName], tuple[int, int]]:
        """Remaining and reserved of every lot that has either."""
        found: dict[tuple[UUID, str, LotName], tuple[int, int]] = {}
        for (owner_id, point_type), owner in self.owners.items():
            reserved: dict[LotTerms, int] = defaultdict(int)
            for hold in owner.holds.values():
                for terms, points in hold.reserved.items():
                    reserved[terms] += points
            names = {*owner.lots, *((terms, None) for terms in reserved)}
            for terms, award in names:
                amounts = (owner.lots[terms, award], reserved[terms] if award is None else 0)
                if any(amounts):
                    found[owner_id, point_type, (terms, award)] = amounts
        return found

    def holds(self) -> dict[UUID, tuple[str, dict[bytes, tuple[int, int, int]]]]:
        """State of every hold, and reserved, captured and refunded of its lots by their key."""
        return {
            hold_id: (
                hold.state,
                {
                    terms.key: (points, hold.captured[terms], hold.refunded[terms])
                    for terms, points in hold.reserved.items()
                },
            )
            for owner in self.owners.values()
            for hold_id, hold in owner.holds.items()
        }

    def balances(self) -> dict[tuple[UUID, str], Balances]:
        """Every owner's balances."""
        return {key: owner.balance for key, owner in self.owners.items()}
