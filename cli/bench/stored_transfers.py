"""Many transfers at once, as copies of a few owners who lived through everything: the rows of a ledger that agrees.

What the models do is posted for real. Then their accounts, lots, holds, debts and transfers are copied, one transfer of
all copies after the other, so that in the table they lie between each other's as they would after some months.
"""

from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import asyncpg

from shared.database import Database
from shared.ledger import (
    AdjustUp,
    Capture,
    ClawBack,
    Command,
    Earn,
    EarnPending,
    Expire,
    Give,
    LotTerms,
    Refund,
    Release,
    Reserve,
    SpendLate,
    Suspend,
    Void,
    post,
)
from shared.receipt_key import SequenceKey, encode_receipt_key

MODELS = 8
MONTHS = 6
GROCER = LotTerms("grocer", date(2026, 1, 1), date(2127, 1, 1))
FUEL = LotTerms("fuel", date(2026, 1, 1), None)
SHORT = LotTerms("grocer", date(2026, 1, 1), date(2126, 1, 1))

_ACCOUNT = "model.account_id + copy * $2::bigint"
_HOLD = "md5(model.hold_id::text || copy)::uuid"
# table → the columns that are a copy's own; all others are the model's
_COPIED = {
    "ledger_accounts": {"account_id": _ACCOUNT, "owner_id": "md5(model.owner_id::text || copy)::uuid"},
    "ledger_lots": {"account_id": _ACCOUNT},
    "ledger_holds": {"account_id": _ACCOUNT, "hold_id": _HOLD},
    "ledger_hold_lots": {"account_id": _ACCOUNT, "hold_id": _HOLD},
    "ledger_debts": {"account_id": _ACCOUNT},
}
_TRANSFER = {
    "account_id": _ACCOUNT,
    "credit_account_id": "model.credit_account_id + copy * $2::bigint",
    "hold_id": _HOLD,
    "business_time": "$4::timestamptz",
    "posted_at": "$4::timestamptz",
}
_COLUMNS = """
    select column_name::text from information_schema.columns
    where table_schema = 'ledger' and table_name = $1 and is_generated = 'NEVER' and column_name <> 'transfer_id'
"""
_COPY = """
    insert into {table} ({columns}) overriding system value
    select {values} from (select * from {table} where {where}) as model
        cross join generate_series(1, $1::bigint) as copy
"""
_NUMBER_ON = """
    select setval(pg_get_serial_sequence('ledger_accounts', 'account_id'), max(account_id))
    from ledger_accounts
"""


async def store_transfers(admin: asyncpg.Connection, database: Database, transfers: int) -> int:
    """Fill an empty ledger with about so many transfers that agree with everything; returns how many there are.

    ``admin`` is the owner's connection, with the ledger on its search path.
    """
    models = [uuid4() for _ in range(MODELS)]
    for number, owner_id in enumerate(models):
        for commands in _life(number, owner_id, models[number - 1]):
            async with database.transaction() as transaction:
                await post(transaction, commands)
    steps = [row[0] for row in await admin.fetch("select transfer_id from ledger_transfers order by 1")]
    accounts = await admin.fetchval("select max(account_id) from ledger_accounts")
    copies = transfers // len(steps)
    for table, own in _COPIED.items():
        await admin.execute(await _copying(admin, table, own, "account_id <= $2"), copies, accounts)
    await admin.execute(_NUMBER_ON)
    copy_step = await _copying(admin, "ledger_transfers", _TRANSFER, "transfer_id = $3")
    now: datetime = await admin.fetchval("select now()")
    await admin.execute(
        "select ledger_transfers_make_partitions($1::timestamptz - make_interval(months => $2), $2::integer)",
        now,
        MONTHS,
    )
    for number, transfer_id in enumerate(steps):
        months_ago = MONTHS * (1 - number / len(steps))
        business_time = datetime.fromtimestamp(now.timestamp() - months_ago * 30 * 86_400, UTC)
        await admin.execute(copy_step, copies, accounts, transfer_id, business_time)
    await admin.execute("vacuum analyze")
    return (copies + 1) * len(steps)


async def _copying(admin: asyncpg.Connection, table: str, own: dict[str, str], where: str) -> str:
    columns = [column for (column,) in await admin.fetch(_COLUMNS, table)]
    values = ", ".join(own.get(column, f"model.{column}") for column in columns)
    return _COPY.format(table=table, columns=", ".join(columns), values=values, where=where)


def _life(number: int, owner_id: UUID, receiver_id: UUID) -> list[list[Command]]:
    """Ten or so postings: everybody earns and spends, each of the models does something else besides."""
    hold_id, late_id = uuid4(), uuid4()
    receipts = [_receipt(4 * number + receipt) for receipt in range(4)]
    usual: list[list[Command]] = [
        [Earn(owner_id, "points", receipts[0], 120, GROCER), Earn(owner_id, "points", receipts[0], 15, SHORT)],
        [Earn(owner_id, "points", receipts[1], 80, FUEL)],
        [EarnPending(owner_id, "points", receipts[2], 30, GROCER, receipts[2])],
        [Reserve(owner_id, "points", hold_id.bytes, 90, hold_id)],
    ]
    beside: list[list[Command]] = [
        [Capture(owner_id, "points", hold_id.bytes, 50, hold_id, "cinema")],
        [Capture(owner_id, "points", hold_id.bytes, 90, hold_id, "fuel")],
        [Refund(owner_id, "points", receipts[3], 40, hold_id, "fuel")],
        [Void(owner_id, "points", hold_id.bytes, hold_id)],
        [Release(owner_id, "points", receipts[2], GROCER, receipts[2])],
        [Suspend(owner_id, "points", receipts[0], 10, GROCER, receipts[0])],
        [SpendLate(owner_id, "points", late_id.bytes, 60, "cinema", late_id)],
        [Expire(owner_id, "points", b"expire", SHORT), AdjustUp(owner_id, "points", b"regret", 25, FUEL)],
        [Give(owner_id, "points", b"gift", receiver_id, "gift", 20)],
        [SpendLate(owner_id, "points", late_id.bytes, 500, "cinema", late_id)],
        [ClawBack(owner_id, "points", receipts[3], 100, GROCER, receipts[0])],
        [Earn(owner_id, "points", receipts[3], 35, FUEL)],
    ]
    chosen = {
        0: (0, 4, 6),
        1: (1, 2, 5),
        2: (3, 7, 4),
        3: (0, 8, 4),
        4: (9, 10, 11),  # owes
        5: (5,),  # the hold stays open
        6: (1, 4, 11, 6),
        7: (3, 6, 8),
    }
    return usual + [beside[step] for step in chosen[number % len(chosen)]]


def _receipt(number: int) -> bytes:
    till = SequenceKey(
        scheme="sequence",
        store_id="5790001330552",
        till_id="1",
        business_date=date(2026, 1, 1),
        shift=1,
        number=number,
    )
    return encode_receipt_key("grocer", till)
