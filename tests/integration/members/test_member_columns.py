"""Whoever keeps a member's id, or a hash that leads to one, says what an erasure, a merge and an export do with it.

The columns are read from the database's catalogue: every uuid, every document, and whatever is named as a hash. One
that is new is of something else (``OTHERS``), or in a statement that erases, merges and exports, or in ``KEPT`` with a
reason.
"""

import re
from collections.abc import Iterator
from itertools import chain
from types import ModuleType
from typing import NamedTuple

import asyncpg
import pytest

from services.accrual.repository import (
    adjustments,
    backtest_members,
    corrections,
    counted_days,
    former_states,
    member_attributes,
    member_days,
    member_versions,
    memberships,
    parked,
    receipt_moves,
    tier_data,
    tier_erasure,
    tier_merges,
    unlinked_returns,
)
from services.accrual.repository import member_data as accrual_data
from services.accrual.repository import member_events as accrual_events
from services.accrual.repository import projections as accrual_projections
from services.coalition.repository import erased_members, operators
from services.fraud.repository import erasure as fraud_erasure
from services.fraud.repository import member_data as fraud_data
from services.fraud.repository import merges as fraud_merges
from services.fraud.repository import operators as fraud_operators
from services.members.repository import (
    consents,
    data_quality,
    duplicates,
    erasure,
    exports,
    households,
    joining,
    merging,
    registry,
    terms,
)
from services.notifications.repository import erasure as notifications_erasure
from services.notifications.repository import member_data as notifications_data
from services.notifications.repository import merges as notifications_merges
from services.redemption.repository import kept_challenges, privilege_grants, privilege_limits, quotes, waiting_tenders
from services.redemption.repository import member_data as redemption_data
from services.redemption.repository import merges as redemption_merges
from services.redemption.repository import projections as redemption_projections
from shared.database.roles import SCHEMAS
from tests.support.databases import FreshDatabase


class Statements(NamedTuple):
    """The files whose statements erase, merge and export what a service keeps of members."""

    erase: tuple[ModuleType, ...] = ()
    merge: tuple[ModuleType, ...] = ()
    export: tuple[ModuleType, ...] = ()


STATEMENTS = {
    "members": Statements(
        erase=(erasure, households),  # who is erased leaves the household
        merge=(merging, duplicates, households),
        export=(exports, consents, terms, joining, registry, data_quality),
    ),
    "accrual": Statements(
        (
            accrual_projections,
            parked,
            adjustments,
            member_days,
            member_attributes,
            member_versions,
            memberships,
            accrual_events,
            tier_erasure,
            counted_days,
            backtest_members,
        ),
        (accrual_projections, tier_merges, counted_days, member_attributes, member_versions, memberships),
        (
            accrual_data,
            adjustments,
            accrual_events,
            corrections,
            tier_data,
            memberships,
            receipt_moves,
            former_states,
            unlinked_returns,
        ),
    ),
    "redemption": Statements(
        (redemption_projections, waiting_tenders, quotes, privilege_grants, privilege_limits),
        (redemption_merges,),
        (redemption_data, kept_challenges),
    ),
    "fraud": Statements((fraud_erasure, fraud_operators), (fraud_merges,), (fraud_data,)),
    "notifications": Statements((notifications_erasure,), (notifications_merges,), (notifications_data,)),
    "coalition": Statements(erase=(erased_members, operators)),
}

# Ids and hashes of something else.
OTHERS = {
    "acceptance_id", "adjustment_id", "after_member", "backtest_id", "case_id", "challenge_id", "change_id", "check_id",
    "code_hash", "content_hash", "contract_id", "decision_id", "digest_id", "duplicate_id", "entry_id", "event_id",
    "exception_id", "file_id",
    "gift_id", "grant_id", "hold_id", "household_id", "identifier_id", "import_id", "membership_id", "message_id",
    "move_id", "news_id",
    "operator_hash",  # a cashier's
    "previous_secret_hash", "quote_id", "range_id", "redemption_id", "refused_hashes", "repeats", "request_hash",
    "rule_set_id",
    "secret_hash", "session_id", "signal_id", "statement_id",
    "undone_hash",  # of the document that undid it
    "voucher_id",
    "after", "before", "document", "exclusivities", "opening_hours", "outcomes", "rates", "request", "rule_set",
    "terms",
}  # fmt: skip

KEPT: dict[str, dict[str, tuple[str, ...]]] = {
    "erase": {
        "what happened must go on adding up: the id is nobody's by then": (
            "accrual.awards.owner_id",
            "accrual.claims.owner_id",
            "accrual.corrections.owner_id",
            "accrual.fraud_holds.member_id",
            "accrual.receipt_claims.member_id",
            "accrual.receipt_moves.from_member_id",
            "accrual.receipt_moves.to_member_id",
            "accrual.refusals.owner_id",
            "accrual.returns.owner_id",
            "accrual.unlinked_returns.owner_id",
            "fraud.decisions.member_id",
            "fraud.former_decisions.member_id",
            "fraud.holds.member_id",
            "fraud.receipt_moves.member_id",
            "fraud.signals.member_id",
            "fraud.spend_decisions.member_id",
            "ledger.ledger_accounts.owner_id",
            "ledger.ledger_aliases.owner_id",
            "ledger.ledger_aliases.survivor_id",
            "redemption.redemption_bought_privileges.member_id",
            "redemption.redemption_challenges.member_id",
            "redemption.redemption_gifts.giver_id",
            "redemption.redemption_gifts.receiver_id",
            "redemption.redemption_household_leavings.heir_id",
            "redemption.redemption_household_leavings.member_id",
            "redemption.redemption_privilege_uses.member_id",
            "redemption.redemption_shares.owner_id",
            "redemption.redemption_vouchers.member_id",
            "redemption.redemptions.member_id",
        ),
        "the registry tells who belongs to a household: whoever is erased, or merged away, leaves it": (
            "redemption.redemption_households.places",
        ),
        "who did what when, which nobody may change": (
            "members.identifier_changes.member_id",
            "members.personal_accesses.member_id",
            "members.pin_changes.member_id",
            "members.status_changes.member_id",
        ),
        "what was allowed, whose proof is taken away": ("members.consents.member_id",),
        "names the survivor, whose tombstone stands": (
            "fraud.member_windows.merged_into",
            "notifications.recipients.merged_into",
            "redemption.redemption_members.merged_into",
        ),
    },
    "merge": {
        "a basket, its prices and what it was judged by: it names nobody": ("redemption.redemption_quotes.checkout",),
        "the ledger's own: its merge names the survivor and moves the points (shared/ledger/merging.py)": (
            "ledger.ledger_accounts.owner_id",
            "ledger.ledger_aliases.owner_id",
            "ledger.ledger_aliases.survivor_id",
        ),
        "the survivor answers for the id under which it was decided": (
            "accrual.adjustments.member_id",
            "accrual.member_events.member_id",
            "accrual.member_events.payload",
            "accrual.awards.owner_id",
            "accrual.claims.owner_id",
            "accrual.corrections.owner_id",
            "accrual.fraud_holds.member_id",
            "accrual.receipt_claims.member_id",
            "accrual.receipt_moves.from_member_id",
            "accrual.receipt_moves.to_member_id",
            "accrual.refusals.owner_id",
            "accrual.returns.owner_id",
            "accrual.unlinked_returns.owner_id",
            "fraud.decisions.member_id",
            "fraud.former_decisions.member_id",
            "fraud.receipt_moves.member_id",
            "redemption.redemption_bought_privileges.member_id",
            "redemption.redemption_challenges.member_id",
            "redemption.redemption_gifts.giver_id",
            "redemption.redemption_gifts.receiver_id",
            "redemption.redemption_household_leavings.heir_id",
            "redemption.redemption_household_leavings.member_id",
            "redemption.redemption_privilege_grants.member_id",
            "redemption.redemption_privilege_reservations.member_id",
            "redemption.redemption_privilege_uses.member_id",
            "redemption.redemption_quotes.member_id",
            "redemption.redemption_shares.owner_id",
            "redemption.redemption_vouchers.member_id",
            "redemption.redemptions.member_id",
            "redemption.redemption_waiting_tenders.member_id",
        ),
        "what rules would have given that somebody tried out, as it stood then": (
            "accrual.backtest_members.member_id",
        ),
        "who was merged away has no days that are kept": ("accrual.member_days.member_id",),
        "the registry tells who belongs to a household: whoever is merged away leaves it": (
            "redemption.redemption_households.places",
        ),
        "it waits for the survivor: a merge lets it go": ("accrual.parked.owner_id",),
        "the registry tells of each identifier whose it is then": (
            "accrual.parked.identifier_hash",
            "redemption.redemption_identifiers.identifier_hash",
            "redemption.redemption_identifiers.member_id",
            "redemption.redemption_waiting_tenders.identifier_hash",
        ),
        "who did what when, under the id that it was done under": (
            "accrual.tier_changes.member_id",
            "members.field_checks.member_id",
            "members.personal_accesses.member_id",
            "members.pin_changes.member_id",
            "members.status_changes.member_id",
        ),
        "it is looked up under the survivor and all for whom it answers": (
            "members.referral_codes.member_id",
            "members.referrals.member_id",
            "members.referrals.referrer_id",
        ),
        "a card, whoever its member is": ("coalition.operators.own_card_hashes", "fraud.operators.own_card_hashes"),
        "a tombstone, and the merged have their own": ("coalition.erased_members.member_id",),
    },
    "export": {
        "it repeats what the registry tells": (
            "accrual.member_days.member_id",
            "accrual.members.member_id",
            "fraud.member_windows.merged_into",
            "members.member_attributes.member_id",
            "notifications.recipients.member_id",
            "notifications.recipients.merged_into",
            "redemption.redemption_households.places",
            "redemption.redemption_members.member_id",
            "redemption.redemption_members.merged_into",
        ),
        "it repeats what the registry tells of a household, and the statement of points": (
            "redemption.redemption_household_leavings.heir_id",
            "redemption.redemption_household_leavings.member_id",
        ),
        "it repeats what a receipt's award, or a case, tells": (
            "accrual.claims.owner_id",
            "accrual.counted_days.member_id",
            "accrual.fraud_holds.member_id",
            "accrual.receipt_claims.member_id",
            "fraud.decisions.member_id",
            "fraud.former_decisions.member_id",
            "fraud.window_receipts.member_id",
        ),
        "what rules would have given that somebody tried out: nothing came of it": (
            "accrual.backtest_members.member_id",
        ),
        "redemption tells what the ledger keeps, as a statement": (
            "ledger.ledger_accounts.owner_id",
            "ledger.ledger_aliases.owner_id",
            "ledger.ledger_aliases.survivor_id",
        ),
        "it is kept for minutes, and becomes a use that is told": (
            "redemption.redemption_privilege_reservations.member_id",
        ),
        "it tells of somebody else": (
            "members.household_changes.stated_by",
            "members.household_invitations.invited_by",
        ),
        "it says nothing of the member but that a machine has work to do, or a key": (
            "members.awaited_comparisons.member_id",
            "members.duplicates.first_member_id",
            "members.duplicates.second_member_id",
            "members.member_keys.member_id",
            "members.person_blocks.member_id",
        ),
        "identifiers are told by type, state and history": ("members.identifiers.identifier_hash",),
        "nobody is exported who was erased": ("coalition.erased_members.member_id",),
        "what an employer says of its cashier": (
            "coalition.operators.own_card_hashes",
            "fraud.operators.own_card_hashes",
        ),
    },
}
WRITES = r"\b(?:update|insert into)\s+{table}\b"
DELETES = r"\bdelete from\s+{table}\b"
READS = r"\b(?:from|join)\s+{table}\b"

COLUMNS = """
    select schema.nspname as schema, class.relname as "table", attname as column
    from pg_attribute
        join pg_class as class on class.oid = attrelid
        join pg_namespace as schema on schema.oid = relnamespace
    where nspname = any($1::text[]) and relkind in ('r', 'p') and not relispartition and attnum > 0 and not attisdropped
        and (atttypid in ('uuid'::regtype, 'uuid[]'::regtype, 'jsonb'::regtype) or attname ~ '_hash(es)?$')
    order by 1, 2, 3
"""


class Column(NamedTuple):
    """A column of a service's table."""

    schema: str
    table: str
    column: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.table}.{self.column}"


@pytest.fixture
async def columns(fresh_database: FreshDatabase) -> list[Column]:
    """Every column that may lead to a member, by type and name."""
    connection = await asyncpg.connect(fresh_database.admin_url)
    try:
        return [Column(*row) for row in await connection.fetch(COLUMNS, list(SCHEMAS))]
    finally:
        await connection.close()


def statements_of(module: ModuleType) -> Iterator[str]:
    """The module's constants that are texts, and those that are lists of texts."""
    for value in vars(module).values():
        yield from (each for each in (value if isinstance(value, tuple) else (value,)) if isinstance(each, str))


def is_in_a_statement(column: Column, deed: str) -> bool:
    """Whether a statement of the deed's files deletes the table's rows, or names the column that it writes or reads."""
    modules: tuple[ModuleType, ...] = getattr(STATEMENTS.get(column.schema, Statements()), deed)
    table_in = re.compile((READS if deed == "export" else WRITES).format(table=column.table))
    deletes = re.compile(DELETES.format(table=column.table))
    for statement in chain.from_iterable(map(statements_of, modules)):
        if deed != "export" and deletes.search(statement):
            return True
        if table_in.search(statement) and re.search(rf"\b{column.column}\b", statement):
            return True
    return False


@pytest.mark.parametrize("deed", Statements._fields)
async def test_every_column_that_leads_to_a_member_is_thought_of(columns: list[Column], deed: str) -> None:
    of_members = [column for column in columns if column.column not in OTHERS]
    forgotten = {str(column) for column in of_members if not is_in_a_statement(column, deed)}

    kept = list(chain.from_iterable(KEPT[deed].values()))

    assert len(of_members) > len(columns) / 3
    assert forgotten - set(kept) == set(), f"{deed}: write a statement, or say in KEPT why there is none"
    assert set(kept) - forgotten == set(), "KEPT says of these that there is no statement"
    assert len(kept) == len(set(kept))


async def test_what_is_of_something_else_is_there(columns: list[Column]) -> None:
    assert {column.column for column in columns} >= OTHERS
