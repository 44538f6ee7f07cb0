"""What was found about one member, row by row. The id is taken as it stands."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.fraud.domain.cases import CaseState, HoldAction
from services.fraud.domain.spending.asks import AskKind, Verdict
from shared.database import Transaction
from shared.events.fraud import CaseOutcome

# The receipt is another member's since: what it bought is nobody else's business.
_MOVED_AWAY = """exists (
        select from receipt_moves where receipt_moves.receipt_key = found.receipt_key and number > found.moves
    )"""
_LOAD_SIGNALS = f"""
    select signal_id, receipt_key, rule_code, action, case_id, raised_at
    from signals as found
    where member_id = $1 and ($2::uuid is null or signal_id > $2) and not {_MOVED_AWAY}
    order by signal_id
    limit $3
"""
_LOAD_HOLDS = f"""
    select receipt_key, version, action, ends_at, case_id, rule_code, occurred_at, store_id, changed_at
    from holds as found
    where member_id = $1 and receipt_key > $2 and not {_MOVED_AWAY}
    order by receipt_key
    limit $3
"""
_LOAD_CASES = """
    select case_id, partner_id, rule_code, state, outcome, receipts, opened_at, closed_at, note
    from cases
    where member_id = $1 and ($2::uuid is null or case_id > $2)
    order by case_id
    limit $3
"""

_LOAD_SPEND_DECISIONS = """
    select decision_id, kind, partner_id, store_id, point_type, points, verdict, asked_at
    from spend_decisions
    where member_id = $1 and ($2::uuid is null or decision_id > $2)
    order by decision_id
    limit $3
"""

_LOAD_IDENTIFIER_TIMES = """
    select first_linked_at, last_linked_at, contact_changed_at from member_windows
    where member_id = $1 and coalesce(first_linked_at, contact_changed_at) is not null
"""


@dataclass(frozen=True, slots=True)
class KeptIdentifierTimes:
    """When an identifier of the member was first linked, when one was last, and when the e-mail address last became
    another one; what is not known is absent."""

    first_linked_at: datetime | None
    last_linked_at: datetime | None
    contact_changed_at: datetime | None


@dataclass(frozen=True, slots=True)
class KeptSpendDecision:
    """Points that were to leave, and whether they might."""

    decision_id: UUID
    kind: AskKind
    partner_id: str | None
    store_id: str | None
    point_type: str
    points: int
    verdict: Verdict
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class KeptSignal:
    """A rule that fired on a receipt."""

    signal_id: UUID
    receipt_key: bytes
    rule_code: str
    action: str
    case_id: UUID | None
    raised_at: datetime


@dataclass(frozen=True, slots=True)
class KeptHold:
    """What stands for a receipt's award."""

    receipt_key: bytes
    version: int
    action: HoldAction
    ends_at: datetime | None
    case_id: UUID
    rule_code: str
    occurred_at: datetime
    store_id: str
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class KeptCase:
    """A case without who served the member, and who closed it."""

    case_id: UUID
    partner_id: str
    rule_code: str
    state: CaseState
    outcome: CaseOutcome | None
    receipts: int
    opened_at: datetime
    closed_at: datetime | None
    note: str | None


async def load_signals(
    transaction: Transaction, member_id: UUID, after: UUID | None, rows_max: int
) -> list[KeptSignal]:
    """Signals in the order of their ids."""
    return [KeptSignal(**dict(row)) for row in await transaction.raw.fetch(_LOAD_SIGNALS, member_id, after, rows_max)]


async def load_holds(transaction: Transaction, member_id: UUID, after: bytes, rows_max: int) -> list[KeptHold]:
    """Holds by natural key."""
    return [KeptHold(**dict(row)) for row in await transaction.raw.fetch(_LOAD_HOLDS, member_id, after, rows_max)]


async def load_cases(transaction: Transaction, member_id: UUID, after: UUID | None, rows_max: int) -> list[KeptCase]:
    """Cases in the order of their ids."""
    return [KeptCase(**dict(row)) for row in await transaction.raw.fetch(_LOAD_CASES, member_id, after, rows_max)]


async def load_spend_decisions(
    transaction: Transaction, member_id: UUID, after: UUID | None, rows_max: int
) -> list[KeptSpendDecision]:
    """Decisions on spending in the order of their ids."""
    rows = await transaction.raw.fetch(_LOAD_SPEND_DECISIONS, member_id, after, rows_max)
    return [KeptSpendDecision(**dict(row) | {"verdict": Verdict(row["verdict"])}) for row in rows]


async def find_identifier_times(transaction: Transaction, member_id: UUID) -> KeptIdentifierTimes | None:
    """The one row that there may be."""
    row = await transaction.raw.fetchrow(_LOAD_IDENTIFIER_TIMES, member_id)
    return None if row is None else KeptIdentifierTimes(**dict(row))
