"""Saves what rules found: cases, signals and holds, and what is told of them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TypeAlias
from uuid import UUID

from services.fraud.domain.outcomes import Effects, Hold, NewCase
from services.fraud.domain.receipts import NOBODY
from services.fraud.repository import findings
from services.fraud.repository.windows import CaseIds
from services.fraud.use_cases import announcements
from shared.database import Transaction
from shared.events.fraud import PointsHoldData
from shared.ids import new_id
from shared.outbox import Message
from shared.receipt_key import partner_of, receipt_id_of

# Whose a case is that is about a member alone: no partner can be called so.
PROGRAMME = "~programme"

CaseKey: TypeAlias = tuple[UUID, bytes, str]


async def save_findings(
    transaction: Transaction,
    effects: Effects,
    open_case_ids: CaseIds,
    hold_hours: int,
    traces: Mapping[bytes, str | None],
) -> list[Message]:
    """Write what was found of members whose windows are locked; the messages that tell it come back.

    ``traces`` are by the receipts that caused it.
    """
    case_ids = {**open_case_ids, **{_key(case): new_id() for case in effects.cases}}
    signal_ids = [new_id() for _ in effects.signals]
    ends_at = transaction.now + timedelta(hours=hold_hours)
    partners = [PROGRAMME if case.operator_hash == NOBODY else partner_of(case.opened_by) for case in effects.cases]
    await findings.save_cases(transaction, effects.cases, partners, case_ids)
    await findings.save_signals(transaction, effects.signals, signal_ids, case_ids)
    versions = await findings.save_holds(transaction, effects.holds, case_ids, ends_at)
    return [
        *_of_cases(effects, case_ids, transaction.now, traces),
        *(
            announcements.signal_raised(signal, signal_id, transaction.now, traces[signal.caused_by])
            for signal, signal_id in zip(effects.signals, signal_ids, strict=True)
        ),
        *(
            _held(hold, case_ids[_key(hold)], versions[hold.receipt.receipt_key], ends_at, transaction.now, traces)
            for hold in effects.holds
        ),
    ]


def _of_cases(effects: Effects, case_ids: CaseIds, now: datetime, traces: Mapping[bytes, str | None]) -> list[Message]:
    """Cases come before their signals, signals before holds: a reader of a hold knows its case."""
    held: dict[tuple[CaseKey, bytes], list[Hold]] = {}
    for hold in effects.holds:
        held.setdefault((_key(hold), hold.caused_by), []).append(hold)
    return [
        announcements.case_opened(
            case, case_ids[_key(case)], held.get((_key(case), case.caused_by), ()), now, traces[case.caused_by]
        )
        for case in effects.cases
    ]


def _held(
    hold: Hold, case_id: UUID, version: int, ends_at: datetime, now: datetime, traces: Mapping[bytes, str | None]
) -> Message:
    data = PointsHoldData(
        member_id=hold.member_id,
        receipt_id=receipt_id_of(hold.receipt.receipt_key),
        version=version,
        rule_code=hold.rule_code,
        case_id=case_id,
        ends_at=ends_at,
    )
    return announcements.hold_requested(data, now, traces[hold.caused_by])


def _key(found: NewCase | Hold) -> CaseKey:
    return (found.member_id, found.opened_by, found.rule_code)
