"""Plans applied to dictionaries, with the reads that posting would do and the rules that the tables enforce."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from uuid import UUID

from shared.ledger import Balances, ClawBack, Command, Expire, Give, LotTerms, MergedPoints, Outcome, plan
from shared.ledger.absorbing import MergingAccounts, plan_merge
from shared.ledger.debts import StoredDebt
from shared.ledger.giving import answered_by
from shared.ledger.needs import Draw, needs_of, survivors_lots
from shared.ledger.planning import Absorbed, Plan
from shared.ledger.records import Account, AccountKey, Hold, Lapsed, Lot, StoredHold, StoredLot, StoredPart, Transfer
from shared.ledger.refunded import Refunded
from shared.ledger.terms import lapse_bound


class MemoryLedger:
    """What ``post`` does, without a database. Reads no more than ``needs_of`` asks for."""

    def __init__(self) -> None:
        self.accounts: dict[AccountKey, Account] = {}
        self.lots: dict[tuple[int, bytes], StoredLot] = {}
        self.holds: dict[UUID, StoredHold] = {}
        self.transfers: list[Transfer] = []
        self.survivors: dict[UUID, UUID] = {}
        self.debts: dict[int, StoredDebt] = {}
        self.now = datetime(2026, 5, 1, tzinfo=UTC)
        self.today: date | None = None
        self.lapsed: list[Lapsed] = []

    def post(self, commands: Sequence[Command]) -> list[Outcome]:
        commands = [answered_by(command, self.survivors) for command in commands]
        named: dict[AccountKey, None] = {}
        for command in commands:
            named[command.owner_id.int, command.point_type] = None
            if isinstance(command, Give):
                named[command.receiver_id.int, command.point_type] = None
        for key in named:
            self.accounts.setdefault(key, Account(len(self.accounts) + 1))
        accounts = {key: account for key, account in self.accounts.items() if key in named}
        needs = needs_of(accounts, commands, self.today)
        refunded = self._refunded(accounts, commands)
        needs.spare(refunded)
        assert len(set(needs.hold_ids)) == len(needs.hold_ids), "read twice, a hold would have its parts twice"
        lots = [self.lots[name] for name in needs.named_lots if name in self.lots]
        for draw in needs.draws:
            lots += self._first_lots(draw)
        lots += self._lapsing(needs.lapsing)
        holds = [self.holds[hold_id] for hold_id in needs.hold_ids if hold_id in self.holds]
        absorbed = self._absorbed({hold.account_id for hold in holds}, accounts)
        for name in survivors_lots(accounts, absorbed, holds).named_lots:
            lots += [self.lots[name]] if name in self.lots else []
        owed = self._owed(accounts.values())
        planned = plan(accounts, lots, holds, commands, absorbed, owed, self.today, refunded)
        self._apply(planned)
        return planned.outcomes

    def merge(self, merged_id: UUID, survivor_id: UUID) -> list[MergedPoints]:
        """As ``shared.ledger.merge``; owners that are one already stay so."""
        merged_id, survivor_id = self.one(merged_id), self.one(survivor_id)
        if merged_id == survivor_id:
            return []
        pairs = []
        for (owner, point_type), account in list(self.accounts.items()):
            if owner == merged_id.int:
                survivor = self.accounts.setdefault((survivor_id.int, point_type), Account(len(self.accounts) + 1))
                pairs.append(MergingAccounts(point_type, account, survivor))
        handing_over = {pair.merged.account_id for pair in pairs}
        lots = [lot for lot in self.lots.values() if lot.account_id in handing_over and lot.remaining]
        for pair in pairs:
            if pair.merged.debt and pair.survivor.available:
                lots += self._first_lots(Draw(pair.survivor.account_id, pair.merged.debt, None))
                lots += self._lapsing([pair.survivor.account_id])
        owed = self._owed([account for pair in pairs for account in pair[1:]])
        planned, merged = plan_merge(pairs, lots, owed, b"merge", self.today)
        self._apply(planned)
        for owner_id, named in list(self.survivors.items()):
            self.survivors[owner_id] = survivor_id if named == merged_id else named
        self.survivors[merged_id] = survivor_id
        return merged

    def expire_due(self) -> None:
        """What the job does: it expires whatever is left in lots whose day has come."""
        owners = {account.account_id: key for key, account in self.accounts.items()}
        for lot in list(self.lots.values()):
            if self._is_over(lot):
                owner, point_type = owners[lot.account_id]
                self.post([Expire(UUID(int=owner), point_type, b"job", lot.terms)])

    def _is_over(self, lot: StoredLot) -> bool:
        """Whether its points may no longer be spent, though they may still be there."""
        expires_on = lot.terms.expires_on
        return self.today is not None and expires_on is not None and expires_on <= self.today and lot.award is None

    def one(self, owner_id: UUID) -> UUID:
        """Who answers for this owner."""
        return self.survivors.get(owner_id, owner_id)

    def balances(self) -> dict[tuple[UUID, str], Balances]:
        """By owner; what was merged stands with the survivor, its open holds included."""
        amounts: dict[tuple[UUID, str], Balances] = defaultdict(Balances)
        for (owner, point_type), account in self.accounts.items():
            key = (self.one(UUID(int=owner)), point_type)
            both = zip(amounts[key], account[1:], strict=True)
            amounts[key] = Balances(*(before + more for before, more in both))
        return dict(amounts)

    def lots_with_points(self) -> dict[tuple[UUID, str, tuple[LotTerms, bytes | None]], tuple[int, int]]:
        owners = {account.account_id: key for key, account in self.accounts.items()}
        found: dict[tuple[UUID, str, tuple[LotTerms, bytes | None]], tuple[int, int]] = defaultdict(lambda: (0, 0))
        for lot in self.lots.values():
            owner, point_type = owners[lot.account_id]
            name = (self.one(UUID(int=owner)), point_type, (lot.terms, lot.award))
            if lot.remaining or lot.reserved:
                found[name] = (found[name][0] + lot.remaining, found[name][1] + lot.reserved)
        return dict(found)

    def balances_today(self) -> dict[tuple[UUID, str], Balances]:
        """Without what has lapsed, whether anybody has taken it off yet or not: as balances are told."""
        owners = {account.account_id: key for key, account in self.accounts.items()}
        balances = self.balances()
        for lot in self.lots.values():
            if self._is_over(lot):
                owner, point_type = owners[lot.account_id]
                key = (self.one(UUID(int=owner)), point_type)
                balances[key] = balances[key]._replace(available=balances[key].available - lot.remaining)
        return balances

    def lots_today(self) -> dict[tuple[UUID, str, tuple[LotTerms, bytes | None]], tuple[int, int]]:
        """The same of lots."""
        found = self.lots_with_points()
        for name, (_, reserved) in list(found.items()):
            terms, award = name[2]
            if award is None and terms.expires_on is not None and self.today and terms.expires_on <= self.today:
                found[name] = (0, reserved)
        return {name: amounts for name, amounts in found.items() if any(amounts)}

    def owed(self) -> dict[tuple[UUID, str], dict[str, int]]:
        """What owners owe, by the issuers who wait for it."""
        owners = {account.account_id: key for key, account in self.accounts.items()}
        found: dict[tuple[UUID, str], dict[str, int]] = {}
        for debt in self.debts.values():
            owner, point_type = owners[debt.account_id]
            by_issuer = found.setdefault((self.one(UUID(int=owner)), point_type), {})
            if debt.owed:
                by_issuer[debt.issuer] = by_issuer.get(debt.issuer, 0) + debt.owed
        return {key: by_issuer for key, by_issuer in found.items() if by_issuer}

    def _refunded(self, accounts: dict[AccountKey, Account], commands: Sequence[Command]) -> list[Refunded]:
        """As ``load_refunded``, but for the time."""
        asked = {
            ((command.owner_id.int, command.point_type), command.reference): None
            for command in commands
            if isinstance(command, ClawBack) and command.spares_refunds
        }
        found: dict[tuple[int, bytes, bytes], int] = {}
        for (owner, point_type), reference in asked:
            of_owner = {
                account.account_id
                for (other, of_type), account in self.accounts.items()
                if of_type == point_type and self.one(UUID(int=other)).int == owner
            }
            for one in self.transfers:
                is_refund = one.legs[0] in ("refund", "refund_owed", "prolong") and one.legs[2] == "available"
                if is_refund and one.account_id in of_owner and one.reference == reference:
                    assert one.credit_lot is not None
                    key = (accounts[owner, point_type].account_id, reference, one.credit_lot)
                    found[key] = found.get(key, 0) + one.points
        return [Refunded(*key, points) for key, points in found.items()]

    def _owed(self, accounts: Iterable[Account]) -> list[StoredDebt]:
        indebted = {account.account_id for account in accounts if account.debt}
        owed = [debt for debt in self.debts.values() if debt.account_id in indebted and debt.owed]
        return sorted(owed, key=lambda debt: (debt.owed_since, debt.debt_id))

    def _absorbed(self, account_ids: set[int], accounts: dict[AccountKey, Account]) -> list[Absorbed]:
        found = []
        for (owner, point_type), account in self.accounts.items():
            survivor = (self.one(UUID(int=owner)).int, point_type)
            if account.account_id in account_ids and survivor != (owner, point_type) and survivor in accounts:
                found.append(Absorbed(survivor, account))
        return found

    def holds_by_state(self) -> dict[UUID, tuple[str, dict[bytes, tuple[int, int, int]]]]:
        return {
            hold_id: (
                hold.state,
                {part.lot.lot_key: (part.reserved, part.captured, part.refunded) for part in hold.parts},
            )
            for hold_id, hold in self.holds.items()
        }

    def _lapsing(self, account_ids: Sequence[int]) -> list[StoredLot]:
        if self.today is None:
            return []
        bound = lapse_bound(self.today)
        return [
            lot
            for lot in self.lots.values()
            if lot.account_id in account_ids and lot.lot_key < bound and lot.award is None and lot.remaining
        ]

    def _first_lots(self, draw: Draw) -> list[StoredLot]:
        bound = b"" if self.today is None else lapse_bound(self.today)
        spendable = sorted(
            (
                lot
                for lot in self.lots.values()
                if lot.account_id == draw.account_id and lot.award is None and lot.lot_key >= bound
            ),
            key=lambda lot: lot.lot_key,
        )
        taken, before = [], 0
        free = [lot for lot in spendable if lot.remaining > 0 and lot.terms.limits is None]
        for lot in free[: draw.lots_max]:
            if before >= draw.points:
                break
            taken.append(lot)
            before += lot.remaining
        return taken + [lot for lot in spendable if lot.remaining > 0 and lot.terms.limits is not None]

    def _apply(self, planned: Plan) -> None:
        self.transfers += planned.transfers
        self.lapsed += planned.lapsed
        by_id = {account.account_id: key for key, account in self.accounts.items()}
        for account_id, *amounts in planned.accounts:
            key = by_id[account_id]
            now = [before + change for before, change in zip(self.accounts[key][1:], amounts, strict=True)]
            self.accounts[key] = Account(account_id, *now)
            assert min(now) >= 0
            assert self.accounts[key].debt == 0 or self.accounts[key].available == 0
        for lot in planned.credited_lots:
            assert lot.remaining >= 0, "a lot that was not read can only gain"
            assert lot.reserved >= 0
            self._change_lot(lot)
        for lot in planned.stored_lots:
            assert (lot.account_id, lot.key) in self.lots
            self._change_lot(lot)
        self._keep_debts(planned)
        for hold in planned.new_holds:
            assert hold.hold_id not in self.holds
        for hold in (*planned.new_holds, *planned.stored_holds):
            self._keep_hold(hold)
        self._refresh_parts()

    def _keep_debts(self, planned: Plan) -> None:
        for new in planned.new_debts:
            number = len(self.debts) + 1
            since = new.owed_since or self.now
            self.debts[number] = StoredDebt(new.account_id, number, new.issuer, new.reference, since, new.owed)
        for debt in planned.stored_debts:
            assert debt.stored is not None
            assert self.debts[debt.stored.debt_id] == debt.stored
            self.debts[debt.stored.debt_id] = debt.stored._replace(owed=debt.owed)
        assert all(debt.owed >= 0 for debt in self.debts.values())

    def _change_lot(self, lot: Lot) -> None:
        nothing = StoredLot(lot.account_id, lot.key, lot.award, lot.terms, 0, 0)
        before = self.lots.get((lot.account_id, lot.key), nothing)
        base = lot.stored or nothing
        after = before._replace(
            remaining=before.remaining + lot.remaining - base.remaining,
            reserved=before.reserved + lot.reserved - base.reserved,
        )
        assert after.remaining >= 0
        assert after.reserved >= 0
        self.lots[lot.account_id, lot.key] = after

    def _keep_hold(self, hold: Hold) -> None:
        assert (hold.state == "open") == (hold.reserved > 0)
        parts = tuple(
            StoredPart(self.lots[hold.account_id, part.lot.key], part.reserved, part.captured, part.refunded)
            for part in hold.parts
        )
        assert all(0 <= part.refunded <= part.captured for part in parts)
        self.holds[hold.hold_id] = StoredHold(
            hold.hold_id, hold.account_id, hold.reserved, hold.captured, parts, hold.state
        )

    def _refresh_parts(self) -> None:
        """A hold is read joined with its lots as they are then."""
        for hold_id, hold in self.holds.items():
            parts = tuple(part._replace(lot=self.lots[part.lot.account_id, part.lot.lot_key]) for part in hold.parts)
            self.holds[hold_id] = hold._replace(parts=parts)
