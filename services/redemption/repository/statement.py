"""What a member has and how it came about, read from the ledger. Nothing here locks."""

from collections.abc import Collection
from uuid import UUID

from services.redemption.domain.statement import Checkout
from shared.database import Transaction
from shared.ledger import Balances
from shared.ledger.balances import LAPSED_UNTIL, bound_of

# Those who were merged are one owner: the survivor, whose name comes first, and whoever it answers for.
ONE_OWNER = """(
        select coalesce((select survivor_id from ledger_aliases where owner_id = $1), $1) as owner_id
        union all
        select owner_id from ledger_aliases
        where survivor_id = coalesce((select survivor_id from ledger_aliases where owner_id = $1), $1)
    ) as one"""

LOAD_BALANCES = f"""
    select point_type, sum(available - {LAPSED_UNTIL.format(bound="$2")})::bigint,
        sum(held)::bigint, sum(pending)::bigint, sum(debt)::bigint
    from {ONE_OWNER}
        join ledger_accounts as account using (owner_id)
    group by point_type
    order by point_type
"""

# One statement, so that the balance is the one just after the newest transfer.
LOAD_NEWEST = f"""
    select coalesce(sum(account.available), 0)::bigint as available,
        coalesce(
            max(greatest(
                (select max(transfer_id) from ledger_transfers as own where own.account_id = account.account_id),
                (
                    select max(transfer_id) from ledger_transfers as received
                    where received.credit_account_id = account.account_id
                )
            )),
            0
        ) as transfer_id
    from {ONE_OWNER}
        join ledger_accounts as account on account.owner_id = one.owner_id and account.point_type = $2
"""

# A hold bears the id of its redemption or voucher, or one of its own where it reserves what another member lends.
LOAD_CHECKOUTS = """
    select checkout.hold_id, checkout.redemption_id, checkout.partner_id,
        coalesce(member.merged_into, checkout.member_id) as spender_id, checkout.is_lent, checkout.is_reward
    from (
            select redemption_id as hold_id, redemption_id, partner_id, member_id, false as is_lent,
                false as is_reward
            from redemptions as redemption
            where redemption_id = any($1::uuid[])
                -- A hold that was declined left its id free: a voucher may have it since.
                and not exists (select from redemption_vouchers where voucher_id = redemption.redemption_id)
            union all
            select share.hold_id, redemption_id, redemption.partner_id, redemption.member_id, true, false
            from redemption_shares as share
                join redemptions as redemption using (redemption_id)
            where share.hold_id = any($1::uuid[])
            union all
            select voucher_id, null, partner_id, member_id, false, true
            from redemption_vouchers
            where voucher_id = any($1::uuid[])
        ) as checkout
        left join redemption_members as member on member.member_id = checkout.member_id
"""


# Receipts are few on a page, and looked for by what every one of them must have: a capture by its key, or one that it
# undid.
FIND_UNSHOWN_RECEIPTS = """
    select named.receipt_key
    from (
            select receipt_key, redemption_id from redemption_captures where receipt_key = any($1::bytea[])
            union all
            select undone_by, redemption_id from redemption_refunds where undone_by = any($1::bytea[])
        ) as named
        join redemptions as redemption using (redemption_id)
        left join redemption_members as member on member.member_id = redemption.member_id
    where coalesce(member.merged_into, redemption.member_id) <> all($2::uuid[])
"""


async def find_unshown_receipts(
    transaction: Transaction, receipt_keys: Collection[bytes], shown: Collection[UUID]
) -> set[bytes]:
    """Those of these receipts that somebody else than ``shown`` paid for with points."""
    if not receipt_keys:
        return set()
    rows = await transaction.raw.fetch(FIND_UNSHOWN_RECEIPTS, sorted(receipt_keys), list(shown))
    return {row["receipt_key"] for row in rows}


async def load_balances_by_type(transaction: Transaction, member_id: UUID) -> dict[str, Balances]:
    """A member's balances by point type, as last committed; a type that was never moved is absent.

    What may no longer be spent today is not available. Whoever was merged away has what the survivor has.
    """
    rows = await transaction.raw.fetch(LOAD_BALANCES, member_id, bound_of(transaction))
    return {point_type: Balances(*amounts) for point_type, *amounts in rows}


async def load_newest(transaction: Transaction, member_id: UUID, point_type: str) -> tuple[int, int]:
    """The id of the newest transfer and the available balance just after it; zeros where there is none."""
    row = await transaction.raw.fetchrow(LOAD_NEWEST, member_id, point_type)
    if row is None:
        raise AssertionError("unreachable: sums without a group always give a row")
    return row["transfer_id"], row["available"]


async def load_checkouts(transaction: Transaction, hold_ids: Collection[UUID]) -> dict[UUID, Checkout]:
    """For which redemptions and vouchers these holds were made. Of a spender who was merged away since, the survivor
    is named."""
    if not hold_ids:
        return {}
    rows = await transaction.raw.fetch(LOAD_CHECKOUTS, sorted(hold_ids))
    return {hold_id: Checkout(*checkout) for hold_id, *checkout in rows}
