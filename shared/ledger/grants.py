"""Who may do what with the ledger's tables: exactly what ``post`` needs, and nothing that would rewrite the past.

Applied by the ledger's own migrations. Privileges on columns keep services from moving an account to another owner,
from choosing a transfer's number or its real time, and from changing what a lot is. Partitions are not granted at
all: rows reach them through ``ledger_transfers`` only.
"""

from collections.abc import Mapping

from shared.database.roles import LEDGER_SERVICES, reader_name, role_name

MERGING_SERVICE = "accrual"
EXPIRING_SERVICE = "accrual"
SEALING_SERVICE = "accrual"

TRANSFER_COLUMNS = (
    "account_id",
    "debit",
    "credit",
    "partner_id",
    "points",
    "purpose",
    "reference",
    "debit_lot",
    "credit_lot",
    "hold_id",
    "business_time",
)

# table → privileges of the services that post, as they stand in a GRANT
LEDGER_GRANTS: Mapping[str, tuple[str, ...]] = {
    "ledger_accounts": ("select", "insert (owner_id, point_type)", "update (available, held, pending, debt)"),
    "ledger_lots": ("select", "insert", "update (remaining, reserved)"),
    "ledger_holds": ("select", "insert", "update (reserved, captured, state, closed_at)"),
    "ledger_hold_lots": ("select", "insert", "update (reserved, captured)"),
    "ledger_transfers": (
        "select",
        f"insert ({', '.join(TRANSFER_COLUMNS)})",
    ),
    "ledger_version": ("select",),
}

# Since version 2. Aliases are written by accrual alone: nobody else merges.
ALIAS_GRANTS: Mapping[str, tuple[str, ...]] = {
    "ledger_aliases": ("select", "insert", "update (survivor_id)"),
    "ledger_accounts": ("update (is_merged)",),
}


def alias_grant_statements() -> list[str]:
    """The GRANTs of version 2. Idempotent."""
    services = ", ".join(role_name(service) for service in LEDGER_SERVICES)
    readers = ", ".join(reader_name(service) for service in LEDGER_SERVICES)
    return [
        f"grant insert (credit_account_id) on ledger_transfers to {services}",
        f"grant select on ledger_aliases to {services}, {readers}",
        *(
            f"grant {', '.join(granted)} on {table} to {role_name(MERGING_SERVICE)}"
            for table, granted in ALIAS_GRANTS.items()
        ),
    ]


def refund_and_debt_grant_statements() -> list[str]:
    """The GRANTs of version 3. Idempotent."""
    services = ", ".join(role_name(service) for service in LEDGER_SERVICES)
    readers = ", ".join(reader_name(service) for service in LEDGER_SERVICES)
    return [
        f"grant update (refunded) on ledger_hold_lots to {services}",
        f"grant select, insert, update (owed) on ledger_debts to {services}",
        f"grant select on ledger_debts to {readers}",
    ]


def lapse_grant_statements() -> list[str]:
    """The GRANTs of version 4: whoever posts notes what lapsed in passing, and who tells of it takes it. Idempotent."""
    services = ", ".join(role_name(service) for service in LEDGER_SERVICES)
    readers = ", ".join(reader_name(service) for service in LEDGER_SERVICES)
    return [
        f"grant select, insert, update (points) on ledger_lapses to {services}",
        f"grant select on ledger_lapses to {readers}",
        f"grant delete on ledger_lapses to {role_name(EXPIRING_SERVICE)}",
    ]


def chain_grant_statements() -> list[str]:
    """The GRANTs of version 5: one service appends to the chain, readers verify it, nobody changes it. Idempotent."""
    readers = ", ".join(reader_name(service) for service in LEDGER_SERVICES)
    return [
        f"grant select, insert on ledger_blocks, ledger_block_parts to {role_name(SEALING_SERVICE)}",
        f"grant select on ledger_blocks, ledger_block_parts to {readers}",
    ]


def posted_to_grant_statements() -> list[str]:
    """The GRANTs of version 6: whoever posts says how far it has come. Idempotent."""
    services = ", ".join(role_name(service) for service in LEDGER_SERVICES)
    readers = ", ".join(reader_name(service) for service in LEDGER_SERVICES)
    return [
        f"grant select, insert, update (posted_to) on ledger_posted_to to {services}",
        f"grant select on ledger_posted_to to {readers}",
    ]


def grant_statements() -> list[str]:
    """The GRANTs, for a connection whose search path starts with the ledger's schema. Idempotent."""
    services = ", ".join(role_name(service) for service in LEDGER_SERVICES)
    readers = ", ".join(reader_name(service) for service in LEDGER_SERVICES)
    statements = [f"grant {', '.join(granted)} on {table} to {services}" for table, granted in LEDGER_GRANTS.items()]
    statements += [f"grant select on {table} to {readers}" for table in LEDGER_GRANTS]
    return statements
