"""What an owner has, and how it came about: reading for services and people. Nothing here locks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple, TypeAlias
from uuid import UUID

from shared.database.engine import Transaction
from shared.ledger.conditions import Basket, Limits, read_limits, write_limits
from shared.ledger.legs import Position, Purpose
from shared.ledger.records import Balances
from shared.ledger.terms import lapse_bound

STATEMENT_LINES_MAX = 200

# What may no longer be spent is not answered as available, though no job has come by to let it lapse.
LAPSED_UNTIL = """(
        select coalesce(sum(remaining), 0)::bigint from ledger_lots
        where ledger_lots.account_id = account.account_id and lot_key < {bound} and award is null
    )"""

# Everybody who is one owner by now: the survivor, and those for whom it answers. Theirs is what they still have held,
# and their history.
LOAD_BALANCES = f"""
    select wanted.ordinal, sum(account.available - {LAPSED_UNTIL.format(bound="$3")})::bigint,
        sum(account.held)::bigint, sum(account.pending)::bigint, sum(account.debt)::bigint
    from unnest($1::uuid[]) with ordinality as wanted (owner_id, ordinal)
        left join ledger_aliases as alias on alias.owner_id = wanted.owner_id
        cross join lateral (
            select coalesce(alias.survivor_id, wanted.owner_id) as owner_id
            union all
            select absorbed.owner_id from ledger_aliases as absorbed
            where absorbed.survivor_id = coalesce(alias.survivor_id, wanted.owner_id)
        ) as one
        join ledger_accounts as account on account.owner_id = one.owner_id and account.point_type = $2
    group by wanted.ordinal
"""

# What others gave stands on their accounts. Between two who are one owner by now a transfer is one line, the giver's.
LOAD_STATEMENT = """
    with ours as materialized (
        select account.account_id
        from (
                select coalesce((select survivor_id from ledger_aliases where owner_id = $1), $1) as owner_id
                union all
                select owner_id from ledger_aliases
                where survivor_id = coalesce((select survivor_id from ledger_aliases where owner_id = $1), $1)
            ) as one
            join ledger_accounts as account on account.owner_id = one.owner_id and account.point_type = $2
    )
    select transfer.*
    from ours
        cross join lateral (
            (select transfer_id, business_time, purpose, debit, credit, points, partner_id, reference, hold_id,
                case when credit_account_id is null then 'owner'
                    when credit_account_id = any(array(select account_id from ours)) then 'both'
                    else 'giver'
                end
            from ledger_transfers
            where ledger_transfers.account_id = ours.account_id and transfer_id < $3
            order by transfer_id desc
            limit $4)
            union all
            (select transfer_id, business_time, purpose, debit, credit, points, partner_id, reference, hold_id,
                'receiver'
            from ledger_transfers
            where ledger_transfers.credit_account_id = ours.account_id and transfer_id < $3
                and account_id <> all(array(select account_id from ours))
            order by transfer_id desc
            limit $4)
        ) as transfer
    order by transfer.transfer_id desc
    limit $4
"""

# Every credit to what is available, whoever gave it.
LOAD_CREDITED_SINCE = """
    select credit_lot, sum(credit.points)::bigint as points
    from ledger_accounts as account
        cross join lateral (
            select points, reference, credit_lot
            from ledger_transfers
            where ledger_transfers.account_id = account.account_id and credit_account_id is null
                and credit = 'available' and business_time > $3
            union all
            select points, reference, credit_lot
            from ledger_transfers
            where ledger_transfers.credit_account_id = account.account_id
                and credit = 'available' and business_time > $3
        ) as credit
    where account.owner_id = $1 and account.point_type = $2
        and substring(credit.reference from 1 for octet_length($4::bytea)) <> $4
    group by credit_lot
"""

LOAD_OWED = """
    select debt.issuer, debt.reference, debt.owed_since, debt.owed
    from ledger_accounts as account
        join ledger_debts as debt using (account_id)
    where account.owner_id = coalesce((select survivor_id from ledger_aliases where owner_id = $1), $1)
        and account.point_type = $2 and debt.owed > 0
    order by debt.owed_since, debt.debt_id
"""

LOAD_USABLE = """
    select lot.limits, sum(lot.remaining)::bigint
    from (
            select distinct coalesce(alias.survivor_id, wanted.owner_id) as owner_id
            from unnest($1::uuid[]) as wanted (owner_id) left join ledger_aliases as alias using (owner_id)
        ) as one
        join ledger_accounts as account on account.owner_id = one.owner_id and account.point_type = $2
        join ledger_lots as lot using (account_id)
    where lot.award is null and lot.remaining > 0 and lot.lot_key >= $3
    group by lot.limits
"""

_AFTER_ALL = 2**63 - 1

# Whose line it is: the owner's alone; of what is given, the giver's or the receiver's; or the two are one owner by now.
Side: TypeAlias = Literal["owner", "giver", "receiver", "both"]


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One transfer as its owner sees it. ``transfer_id`` rises in the order of posting and serves as a cursor.

    Of points that another owner gave, the ``receiver`` sees the credit alone.
    """

    transfer_id: int
    business_time: datetime
    purpose: Purpose
    debit: Position
    credit: Position
    points: int
    partner_id: str | None
    reference: bytes
    hold_id: UUID | None
    side: Side = "owner"

    @property
    def change(self) -> int:
        """What it changed in the owner's available balance, signed."""
        taken = self.points if self.debit == "available" and self.side != "receiver" else 0
        added = self.points if self.credit == "available" and self.side != "giver" else 0
        return added - taken


def bound_of(transaction: Transaction) -> bytes:
    """Lots whose keys are below it may no longer be spent; none is where the process knows no programme's day."""
    return b"" if transaction.today is None else lapse_bound(transaction.today)


async def load_balances(transaction: Transaction, owner_ids: Sequence[UUID], point_type: str) -> dict[UUID, Balances]:
    """The balances of each of these owners as last committed; zeros for one who never had a point of this type.

    What may no longer be spent today is not available any more. Whoever was merged away has what the survivor has.
    """
    balances = dict.fromkeys(owner_ids, Balances())
    for ordinal, *amounts in await transaction.raw.fetch(LOAD_BALANCES, owner_ids, point_type, bound_of(transaction)):
        balances[owner_ids[ordinal - 1]] = Balances(*amounts)
    return balances


class Usable(NamedTuple):
    """What may be spent under the same limits; None: on anything."""

    limits: Limits | None
    available: int

    def pays_for(self, basket: Basket | None) -> bool:
        """Whether a basket may use it; one that is not known uses nothing limited."""
        return self.limits is None or (basket is not None and self.limits.admit(basket))


async def load_usable(transaction: Transaction, owner_ids: Sequence[UUID], point_type: str) -> list[Usable]:
    """What these owners have available together as last committed, by limits: first what is free of them, then the
    least limited.

    What may no longer be spent today is not available any more.
    """
    rows = await transaction.raw.fetch(LOAD_USABLE, owner_ids, point_type, bound_of(transaction))
    usable = [Usable(None if limits is None else read_limits(limits), available) for limits, available in rows]
    return sorted(usable, key=lambda one: (one.limits.narrowness, write_limits(one.limits)) if one.limits else (0, ""))


@dataclass(frozen=True, slots=True)
class Owed:
    """What is still owed of one claw-back: to its issuer, since when, for which effect."""

    issuer: str
    reference: bytes
    owed_since: datetime
    points: int


async def load_owed(transaction: Transaction, owner_id: UUID, point_type: str) -> list[Owed]:
    """What an owner owes as last committed, the oldest first: in this order it is cleared.

    Whoever was merged away owes what the survivor owes.
    """
    return [Owed(*row) for row in await transaction.raw.fetch(LOAD_OWED, owner_id, point_type)]


async def load_statement(
    transaction: Transaction,
    owner_id: UUID,
    point_type: str,
    *,
    before_transfer_id: int | None = None,
    lines_max: int = 50,
) -> list[StatementLine]:
    """An owner's transfers, newest first, older than ``before_transfer_id``; at most ``STATEMENT_LINES_MAX``.

    Owners that were merged have one history, in which the merge itself changes no amount, as nothing does that one of
    them gave to another.
    """
    before = _AFTER_ALL if before_transfer_id is None else before_transfer_id
    rows = await transaction.raw.fetch(
        LOAD_STATEMENT, owner_id, point_type, before, min(lines_max, STATEMENT_LINES_MAX)
    )
    return [StatementLine(*row) for row in rows]


async def load_credited_since(
    transaction: Transaction, owner_id: UUID, point_type: str, since: datetime, *, apart_from: bytes
) -> dict[bytes, int]:
    """How many points came to what an owner has available after this business time, from wherever, by lot; of one who
    was not merged away. Those do not count whose reference begins with ``apart_from``.
    """
    rows = await transaction.raw.fetch(LOAD_CREDITED_SINCE, owner_id, point_type, since, apart_from)
    return {row["credit_lot"]: row["points"] for row in rows}
