"""What a document's refund gave back before the same document takes an award back: never used to cover it.

Goods come back: accrual takes what they had earned, redemption gives back what had paid for them, in either order. What
is owed is cleared by the refund, so the order makes no difference. Where nobody owes (``clip``, ``refuse``), what is
there when the claw-back is posted decides: that is what would be there without the refund, whichever came first.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from shared.database.engine import RawConnection
from shared.ledger.commands import ClawBack, Command
from shared.ledger.records import Account, AccountKey

# Of an owner with whom others were merged, what came back to their accounts went on to lots of the same keys. What a
# refund cleared of a debt is not left in its lots, so that only credits need to be looked at.
_LOAD_REFUNDED = """
    select asked.account_id, asked.reference, credit_lot as lot_key, sum(points)::bigint as points
    from unnest($1::bigint[], $2::bytea[], $3::timestamptz[]) as asked (account_id, reference, since)
        join ledger_accounts as account on account.account_id = asked.account_id
        cross join lateral (
            select asked.account_id
            union all
            select merged.account_id
            from ledger_aliases join ledger_accounts as merged using (owner_id)
            where ledger_aliases.survivor_id = account.owner_id and merged.point_type = account.point_type
        ) as of_owner (of_id)
        join ledger_transfers on ledger_transfers.account_id = of_id and ledger_transfers.reference = asked.reference
            and business_time >= asked.since and purpose in ('refund', 'refund_owed', 'prolong')
            and credit = 'available'
    group by asked.account_id, asked.reference, credit_lot
"""


class Refunded(NamedTuple):
    """Points that came back to an account's lot under a reference."""

    account_id: int
    reference: bytes
    lot_key: bytes
    points: int


async def load_refunded(
    connection: RawConnection, accounts: Mapping[AccountKey, Account], commands: Sequence[Command]
) -> list[Refunded]:
    """What came back under the references of these claw-backs, as far as any of them is to leave it alone. Their
    accounts are locked. Costs nothing where everybody owes what is not there.
    """
    asked = {
        (accounts[command.owner_id.int, command.point_type].account_id, command.reference): command.refunded_since
        for command in commands
        if isinstance(command, ClawBack) and command.spares_refunds
    }
    if not asked:
        return []
    account_ids, references = zip(*asked, strict=True)
    return [
        Refunded(*row) for row in await connection.fetch(_LOAD_REFUNDED, account_ids, references, list(asked.values()))
    ]
