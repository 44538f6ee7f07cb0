"""What the legs of each transfer must say, as SQL: each check returns the transfers that say something else.

Every check selects (transfer_id, point_type, account_id, lot_key, what, points).
"""

from shared.ledger.legs import ALL_LEGS

_KNOWN = ", ".join(f"('{purpose}', '{debit}', '{credit}')" for purpose, debit, credit in ALL_LEGS)
# What moves points between positions and owners without changing whose points they are, and until when.
_KEEPING = "('reserve', 'void', 'expire', 'merge', 'leave')"

# The table's constraint says so too, unless somebody has taken it away.
WAYS = f"""
    select transfer_id, account.point_type, account_id, coalesce(debit_lot, credit_lot),
        purpose || ': ' || debit || ' to ' || credit, points
    from ledger_transfers
        left join ledger_accounts as account using (account_id)
    where (purpose, debit, credit) not in ({_KNOWN})
"""

KEPT_LOTS = f"""
    select transfer_id, account.point_type, account_id, debit_lot, purpose || ' to another lot', points
    from ledger_transfers
        left join ledger_accounts as account using (account_id)
    where purpose in {_KEEPING} and debit_lot <> credit_lot
"""

# A partner's issue account: what it is said to have issued or taken back is what its lots got and gave.
ISSUERS = """
    select transfer_id, account.point_type, account_id, lot_key, 'issued by ' || partner_id, points
    from (
            select transfer_id, account_id, coalesce(credit_lot, debit_lot) as lot_key, partner_id, points
            from ledger_transfers
            where 'issue' in (debit, credit) and coalesce(credit_lot, debit_lot) is not null
        ) as issued
        join ledger_lots as lot using (account_id, lot_key)
        left join ledger_accounts as account using (account_id)
    where lot.issuer <> partner_id
"""

LEG_CHECKS = {
    "transfer = a known way": WAYS,
    "transfer = its lot": KEPT_LOTS,
    "transfer = its lot's issuer": ISSUERS,
}


def offending(check: str) -> str:
    """A check's transfers, at most $1 of them, each with the number of all."""
    return f"""
        select point_type, account_id, lot_key, null::uuid as hold_id, what, points as stored, 0::bigint as computed,
            transfer_id, count(*) over () as total
        from ({check}) as found (transfer_id, point_type, account_id, lot_key, what, points)
        order by transfer_id
        limit $1
    """
