"""What must agree with what, as SQL: each check recomputes amounts from other rows and returns those that differ.

Every check selects (point_type, account_id, lot_key, hold_id, what, stored, computed). ``stored`` is null where a row
is missing that others speak of, which differs even from zero; ``computed`` is zero where nothing speaks of a row.
"""

# Debits and credits apart, not pair by pair: so the sums are made by as many processes as the server has to spare.
ACCOUNTS_FROM_TRANSFERS = """
    with moved as (
        select account_id,
            coalesce(sum(points) filter (where position = 'available'), 0) as available,
            coalesce(sum(points) filter (where position = 'held'), 0) as held,
            coalesce(sum(points) filter (where position = 'pending'), 0) as pending,
            - coalesce(sum(points) filter (where position = 'debt'), 0) as debt
        from (
            select coalesce(credit_account_id, account_id) as account_id, credit as position, points
            from ledger_transfers
            union all
            select account_id, debit, -points from ledger_transfers
        ) as legs
        group by account_id
    )
    select account.point_type, account_id, null::bytea, null::uuid, amount.what, amount.stored, amount.computed
    from ledger_accounts as account
        full join moved using (account_id)
        cross join lateral (values
            ('available', account.available, coalesce(moved.available, 0)),
            ('held', account.held, coalesce(moved.held, 0)),
            ('pending', account.pending, coalesce(moved.pending, 0)),
            ('debt', account.debt, coalesce(moved.debt, 0))
        ) as amount (what, stored, computed)
"""

ACCOUNTS_FROM_LOTS = """
    with summed as (
        select account_id,
            coalesce(sum(remaining) filter (where award is null), 0) as available,
            coalesce(sum(reserved), 0) as held,
            coalesce(sum(remaining) filter (where award is not null), 0) as pending
        from ledger_lots
        group by account_id
    )
    select account.point_type, account_id, null::bytea, null::uuid, amount.what, amount.stored, amount.computed
    from ledger_accounts as account
        full join summed using (account_id)
        cross join lateral (values
            ('available', account.available, coalesce(summed.available, 0)),
            ('held', account.held, coalesce(summed.held, 0)),
            ('pending', account.pending, coalesce(summed.pending, 0))
        ) as amount (what, stored, computed)
"""

ACCOUNTS_FROM_HOLDS = """
    with summed as (
        select account_id, sum(reserved) as held from ledger_holds where state = 'open' group by account_id
    )
    select account.point_type, account_id, null::bytea, null::uuid, 'held', account.held, coalesce(summed.held, 0)
    from ledger_accounts as account
        full join summed using (account_id)
"""

LOTS_FROM_TRANSFERS = """
    with moved as (
        select account_id, lot_key,
            coalesce(sum(points) filter (where position <> 'held'), 0) as remaining,
            coalesce(sum(points) filter (where position = 'held'), 0) as reserved
        from (
            select coalesce(credit_account_id, account_id) as account_id, credit_lot as lot_key, credit as position,
                points
            from ledger_transfers
            where credit_lot is not null
            union all
            select account_id, debit_lot, debit, -points
            from ledger_transfers
            where debit_lot is not null
        ) as legs
        group by account_id, lot_key
    )
    select account.point_type, account_id, lot_key, null::uuid, amount.what, amount.stored, amount.computed
    from ledger_lots as lot
        full join moved using (account_id, lot_key)
        left join ledger_accounts as account using (account_id)
        cross join lateral (values
            ('remaining', lot.remaining, coalesce(moved.remaining, 0)),
            ('reserved', lot.reserved, coalesce(moved.reserved, 0))
        ) as amount (what, stored, computed)
"""

LOTS_FROM_HOLDS = """
    with summed as (
        select account_id, lot_key, sum(reserved) as reserved from ledger_hold_lots group by account_id, lot_key
    )
    select account.point_type, account_id, lot_key, null::uuid, 'reserved', lot.reserved, coalesce(summed.reserved, 0)
    from ledger_lots as lot
        full join summed using (account_id, lot_key)
        left join ledger_accounts as account using (account_id)
"""

HOLDS_FROM_PARTS = """
    with summed as (
        select hold_id, account_id, sum(reserved) as reserved, sum(captured) as captured
        from ledger_hold_lots
        group by hold_id, account_id
    )
    select account.point_type, account_id, null::bytea, hold_id, amount.what, amount.stored, amount.computed
    from ledger_holds as hold
        full join summed using (hold_id, account_id)
        left join ledger_accounts as account using (account_id)
        cross join lateral (values
            ('reserved', hold.reserved, coalesce(summed.reserved, 0)),
            ('captured', hold.captured, coalesce(summed.captured, 0))
        ) as amount (what, stored, computed)
"""

PARTS_FROM_TRANSFERS = """
    with moved as (
        select hold_id, account_id, coalesce(debit_lot, credit_lot) as lot_key,
            coalesce(sum(points) filter (where debit = 'redeem'), 0) as refunded,
            coalesce(sum(points) filter (where credit = 'held'), 0)
                - coalesce(sum(points) filter (where debit = 'held'), 0) as reserved,
            coalesce(sum(points) filter (where credit = 'redeem'), 0) as captured
        from ledger_transfers
        where hold_id is not null
        group by hold_id, account_id, coalesce(debit_lot, credit_lot)
    )
    select account.point_type, account_id, lot_key, hold_id, amount.what, amount.stored, amount.computed
    from ledger_hold_lots as part
        full join moved using (hold_id, account_id, lot_key)
        left join ledger_accounts as account using (account_id)
        cross join lateral (values
            ('reserved', part.reserved, coalesce(moved.reserved, 0)),
            ('captured', part.captured, coalesce(moved.captured, 0)),
            ('refunded', part.refunded, coalesce(moved.refunded, 0))
        ) as amount (what, stored, computed)
"""

ACCOUNTS_FROM_DEBTS = """
    with summed as (
        select account_id, sum(owed) as owed from ledger_debts group by account_id
    )
    select account.point_type, account_id, null::bytea, null::uuid, 'debt', account.debt, coalesce(summed.owed, 0)
    from ledger_accounts as account
        full join summed using (account_id)
"""

# By issuer, so that whoever carries a claw-back is paid for it. Before the third version debts were cleared without a
# name: what accounts with such transfers owe is not known by issuer.
DEBTS_FROM_TRANSFERS = """
    with moved as (
        select account_id, partner_id as issuer, sum(points) as owed
        from (
            select account_id, partner_id, points from ledger_transfers where debit = 'debt'
            union all
            select coalesce(credit_account_id, account_id), partner_id, -points
            from ledger_transfers
            where credit = 'debt'
        ) as legs
        group by account_id, partner_id
    ),
    stored as (
        select account_id, issuer, sum(owed) as owed from ledger_debts group by account_id, issuer
    )
    select account.point_type, account_id, null::bytea, null::uuid, 'owed to ' || issuer, stored.owed,
        coalesce(moved.owed, 0)
    from stored
        full join moved using (account_id, issuer)
        left join ledger_accounts as account using (account_id)
    where account_id not in (select account_id from moved where issuer is null)
"""

# Debits and credits: what owners have must be what partners and the programme gave less what they took.
TRIAL_BALANCE = """
    with owned as (
        select point_type, sum(available + held + pending - debt) as points from ledger_accounts group by point_type
    ),
    given as (
        select account.point_type,
            coalesce(sum(points) filter (where debit in ('issue', 'redeem', 'breakage', 'adjustment')), 0)
                - coalesce(sum(points) filter (where credit in ('issue', 'redeem', 'breakage', 'adjustment')), 0)
                as points
        from ledger_transfers as transfer
            left join ledger_accounts as account using (account_id)
        group by account.point_type
    )
    select point_type, null::bigint, null::bytea, null::uuid, 'total', owned.points, coalesce(given.points, 0)
    from owned
        full join given using (point_type)
"""

# An account is marked as merged exactly if its owner has an alias, which names an owner that has none.
ALIASES_AND_ACCOUNTS = """
    select account.point_type, account.account_id, null::bytea, null::uuid, 'is merged', account.is_merged::integer,
        (alias.owner_id is not null)::integer
    from ledger_accounts as account
        left join ledger_aliases as alias on alias.owner_id = account.owner_id
    union all
    select null, null, null, null, 'aliases of aliases', 0, count(*)
    from ledger_aliases as alias
        join ledger_aliases as further on further.owner_id = alias.survivor_id
"""

# What lapsed in passing and was not told of yet is at most what lapsed of that lot.
LAPSES_FROM_TRANSFERS = """
    with lapsed as (
        select account_id, debit_lot as lot_key, sum(points) as points
        from ledger_transfers
        where purpose = 'expire_points'
        group by account_id, debit_lot
    )
    select account.point_type, account_id, lapse.lot_key, null::uuid, 'lapsed, untold', lapse.points,
        least(lapse.points, coalesce(lapsed.points, 0))
    from ledger_lapses as lapse
        left join lapsed using (account_id, lot_key)
        left join ledger_accounts as account using (account_id)
"""

# What the constraints of the tables say, in case somebody has taken them away.
AMOUNTS_AND_BOUNDS = """
    select point_type, account_id, null::bytea, null::uuid, amount.what, amount.stored,
        case when amount.what = 'debt beside points' then 0 else greatest(amount.stored, 0) end
    from ledger_accounts
        cross join lateral (values
            ('available', available), ('held', held), ('pending', pending), ('debt', debt),
            ('debt beside points', least(available, debt))
        ) as amount (what, stored)
    where least(available, held, pending, debt) < 0 or least(available, debt) > 0
    union all
    select account.point_type, account_id, lot_key, null, amount.what, amount.stored, greatest(amount.stored, 0)
    from ledger_lots
        left join ledger_accounts as account using (account_id)
        cross join lateral (values ('remaining', remaining), ('reserved', reserved)) as amount (what, stored)
    where least(remaining, reserved) < 0
"""

CHECKS = {
    "account = transfers": ACCOUNTS_FROM_TRANSFERS,
    "account = lots": ACCOUNTS_FROM_LOTS,
    "account = holds": ACCOUNTS_FROM_HOLDS,
    "lot = transfers": LOTS_FROM_TRANSFERS,
    "lot = holds": LOTS_FROM_HOLDS,
    "hold = its lots": HOLDS_FROM_PARTS,
    "hold's lot = transfers": PARTS_FROM_TRANSFERS,
    "account = debts": ACCOUNTS_FROM_DEBTS,
    "debt = transfers": DEBTS_FROM_TRANSFERS,
    "lapse = transfers": LAPSES_FROM_TRANSFERS,
    "owners = partners": TRIAL_BALANCE,
    "amount within bounds": AMOUNTS_AND_BOUNDS,
    "merged = alias": ALIASES_AND_ACCOUNTS,
}

COUNTS = """
    select (select count(*) from ledger_accounts) as accounts, (select count(*) from ledger_transfers) as transfers,
        (select count(*) from ledger_lots) as lots, (select count(*) from ledger_holds) as holds
"""


def differing(check: str) -> str:
    """A check's differing rows, at most $1 of them, each with the number of all."""
    return f"""
        select point_type, account_id, lot_key, hold_id, what, stored, computed::bigint, null::bigint as transfer_id,
            count(*) over () as total
        from ({check}) as compared (point_type, account_id, lot_key, hold_id, what, stored, computed)
        where stored is distinct from computed
        order by point_type, account_id, lot_key, hold_id, what
        limit $1
    """
