"""Who may do what in the database: one role a service, one reader a service, nothing more.

Declared here and applied by ``shared.database.migrate`` after every migration, from a clean slate: a privilege that is
no longer declared is gone after the next ``tessera migrate``. The migrating administrator owns every object.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Privilege: TypeAlias = Literal["select", "insert", "update", "delete"]

SERVICES = ("members", "coalition", "accrual", "redemption", "fraud", "notifications")
# The ledger is a shared kernel: these two post to it inside their own transactions, nobody else sees it.
LEDGER_SERVICES = ("accrual", "redemption")
# In the order in which they are migrated: a service's tables may rely on the platform's and the ledger's.
SCHEMAS = ("platform", "ledger", *SERVICES)

ALL_PRIVILEGES: tuple[Privilege, ...] = ("select", "insert", "update", "delete")
# What is written here stays as it was written: not even the service that owns it may change or delete a row.
APPEND_ONLY_TABLES = frozenset(
    {
        ("accrual", "rule_set_changes"),
        ("coalition", "audit_log"),
        ("coalition", "top_ups"),
        ("members", "household_changes"),
        ("members", "identifier_changes"),
        ("members", "personal_accesses"),
        ("members", "pin_changes"),
        ("members", "status_changes"),
        ("redemption", "redemption_exception_settlements"),
        ("redemption", "redemption_gifts"),
        ("redemption", "redemption_reward_versions"),
        ("redemption", "rule_set_changes"),
    }
    | {(service, "retention_changes") for service in SERVICES}
)

# A service holds locks for milliseconds; what lasts this long is stuck, and must not hold others up.
SERVICE_LIMITS = {
    "lock_timeout": "2s",
    "idle_in_transaction_session_timeout": "1s",
    "transaction_timeout": "5s",
    "jit": "off",
}


@dataclass(frozen=True, slots=True)
class Role:
    """A login role. ``search_path`` is set on the role, so that SQL names no schema."""

    name: str
    search_path: tuple[str, ...]
    limits: tuple[tuple[str, str], ...]
    is_reader: bool


def role_name(service: str) -> str:
    """The role that a service works as."""
    return f"tessera_{service}"


def reader_name(service: str) -> str:
    """The role for a service's long reads (verification, export): select only, without the service's limits."""
    return f"tessera_{service}_reader"


def search_path_of(service: str) -> tuple[str, ...]:
    """The schemas that a service sees, its own first."""
    ledger = ("ledger",) if service in LEDGER_SERVICES else ()
    return (service, *ledger, "platform")


def declared_roles() -> tuple[Role, ...]:
    """Every role of the platform: first the services', then their readers."""
    services = tuple(
        Role(role_name(service), search_path_of(service), tuple(SERVICE_LIMITS.items()), is_reader=False)
        for service in SERVICES
    )
    readers = tuple(
        Role(reader_name(service), search_path_of(service), (("jit", "off"),), is_reader=True) for service in SERVICES
    )
    return services + readers


def privileges_on(role: Role, schema: str, table: str) -> tuple[Privilege, ...]:
    """What a role may do on one table of a schema in its search path.

    A service has everything on its own tables, except that it only adds to those that are append-only, and reads the
    platform's. The ledger's tables are the ledger's business: its migrations grant what its code needs (nobody updates
    or deletes a transfer), beside its version.
    """
    if role.is_reader or schema != role.search_path[0] or table == "alembic_version":
        return ("select",)
    if (schema, table) in APPEND_ONLY_TABLES:
        return ("select", "insert")
    return ALL_PRIVILEGES
