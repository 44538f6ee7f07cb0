"""Points leave soon after an identifier was added or replaced: the member confirms it. Told again is no change."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest

from services.fraud.consumer import MemberHandler, RedemptionHandler, wants_member
from services.fraud.domain.spending.rule_set import ACTIVE_SPEND_RULE_SET
from services.fraud.use_cases.merge_members import merge_members
from services.fraud.use_cases.note_identifiers import note_identifiers
from shared.database import Transaction
from shared.database.errors import StartAgainError
from shared.events.balances import Balance
from shared.events.catalogue import MEMBERS, REDEMPTIONS
from shared.events.fraud import SpendFlagged
from shared.events.members import MemberEvent
from shared.events.redemptions import HoldData, RedemptionHeld
from shared.ids import new_id
from tests.support.fraud import member
from tests.support.fraud_service import Scoring, batch_of
from tests.support.identifier_times import contact_changed, linked, revoked
from tests.support.interleaving import interleave
from tests.support.member_data import read_all
from tests.support.member_events import erased
from tests.support.receipts import card, merged_into
from tests.support.registries import bearing

ANNA, BERT, CARLA, DORA = (member(number) for number in range(1, 5))
ASKER = bearing("decisions:write", client_id="redemption")
ANALYST = bearing("cases:read", client_id="analyst")
MONTH, HOUR = timedelta(days=30), timedelta(hours=1)
CHANGED = ["IDENTIFIER_CHANGED"]


@pytest.fixture
async def now(scoring: Scoring) -> datetime:
    async with scoring.database.transaction() as transaction:
        return transaction.now


async def hear(scoring: Scoring, *events: MemberEvent) -> None:
    await MemberHandler(scoring.database).handle(batch_of(events, MEMBERS.topic))


async def ask(client: httpx2.AsyncClient, member_id: UUID, points: int = 1_000, **others: Any) -> Any:
    body = {"decision_id": str(new_id()), "kind": "hold", "member_id": str(member_id), "point_type": "points"}
    answer = await client.post("/v1/decisions", json=body | {"points": points} | others, headers=ASKER)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def reasons(client: httpx2.AsyncClient, *members: UUID) -> list[list[str]]:
    return [(await ask(client, one))["rule_codes"] for one in members]


async def times(scoring: Scoring, member_id: UUID) -> tuple[datetime, datetime] | None:
    statement = "select first_linked_at, last_linked_at from member_windows where member_id = $1"
    async with scoring.database.transaction() as transaction:
        row = await transaction.raw.fetchrow(statement, member_id)
    return None if row is None or row[0] is None else (row[0], row[1])


async def test_whoever_adds_or_replaces_an_identifier_confirms_and_whoever_joins_does_not(
    client: httpx2.AsyncClient, scoring: Scoring, now: datetime
) -> None:
    old = now - MONTH
    await hear(
        scoring,
        *(linked(ANNA, old, 1), linked(ANNA, old, 2, kind="phone"), linked(ANNA, now - HOUR, 3, kind="token")),
        *(linked(BERT, now, 4), linked(BERT, now, 5, kind="phone")),  # joins with both
        *(linked(CARLA, now, 6), revoked(CARLA, old, now, 7)),  # of the old card nothing was known
        *(linked(DORA, old, 8), linked(DORA, now - 49 * HOUR, 9)),
    )

    assert await reasons(client, ANNA, BERT, CARLA, DORA, member(99)) == [CHANGED, [], CHANGED, [], []]

    gift = await ask(client, ANNA, kind="gift")
    assert (gift["verdict"], gift["rule_set_version"]) == ("step_up", 3)
    told = (await client.get(f"/v1/spend-decisions/{gift['decision_id']}", headers=ANALYST)).json()
    assert told["reasons"] == [
        "a card, phone, app link or e-mail address was added or replaced within the 48 hours before"
    ]
    [check] = next(rule["checks"] for rule in told["rules"] if rule["rule_code"] == "IDENTIFIER_CHANGED")
    assert check == {
        "name": "points_since_change", "observed": 2_000, "step_up": 1_000, "deny": None, "window": "48h",
    }  # fmt: skip
    assert (await ask(client, CARLA, 1))["verdict"] == "step_up"  # little by little, too


async def test_what_is_told_again_changes_nothing_in_whatever_order(
    client: httpx2.AsyncClient, scoring: Scoring, now: datetime
) -> None:
    first, second = now - 2 * MONTH, now - MONTH
    told: list[MemberEvent] = [linked(ANNA, first, 1), linked(ANNA, second, 2)]
    again: list[MemberEvent] = [
        linked(ANNA, first, 1, told_at=now, version=4),  # unblocked, re-keyed or republished
        linked(ANNA, second, 2, told_at=now),
        revoked(ANNA, second, now, 2, "lost"),
        linked(ANNA, None, 3, told_at=now),  # of before it was told when
    ]
    for events in (told, again, told, *_shuffled([*told, *again])):
        await hear(scoring, *events)
        assert await times(scoring, ANNA) == (first, second)
    assert await reasons(client, ANNA) == [[]]

    change: list[MemberEvent] = [linked(ANNA, now, 4)]
    for events in (change, told, again, change, *_shuffled([*told, *again, *change])):
        await hear(scoring, *events)
        assert await times(scoring, ANNA) == (first, now)
    assert await reasons(client, ANNA) == [CHANGED]


def _shuffled(events: Sequence[MemberEvent]) -> list[list[MemberEvent]]:
    return [random.Random(seed).sample(events, len(events)) for seed in range(3)]


async def test_the_later_change_of_two_who_are_one_is_the_survivors(
    client: httpx2.AsyncClient, scoring: Scoring, now: datetime
) -> None:
    old, merge = now - MONTH, merged_into(ANNA, BERT)
    await hear(scoring, linked(ANNA, old, 1), linked(BERT, now - HOUR, 2), linked(CARLA, old, 3))
    await hear(scoring, merge, linked(ANNA, now - HOUR, 2, told_at=now, version=2))
    await hear(scoring, merge, linked(BERT, now - HOUR, 2))  # all of it again, the old id included
    assert [await times(scoring, one) for one in (ANNA, BERT)] == [(old, now - HOUR), None]
    assert await reasons(client, ANNA, BERT) == [CHANGED, CHANGED]

    await hear(scoring, linked(BERT, now, 4), merged_into(CARLA, ANNA, version=3), linked(BERT, now, 5))
    assert [await times(scoring, one) for one in (CARLA, ANNA, BERT)] == [(old, now), None, None]
    assert await reasons(client, CARLA) == [CHANGED]


async def test_another_e_mail_address_is_a_change_in_whatever_order_and_after_a_merge(
    client: httpx2.AsyncClient, scoring: Scoring, now: datetime
) -> None:
    await hear(
        scoring, linked(ANNA, now - MONTH), contact_changed(ANNA, now - HOUR), contact_changed(BERT, now - MONTH)
    )
    await hear(scoring, contact_changed(ANNA, now - 2 * MONTH), contact_changed(BERT, now - MONTH, told_at=now))
    assert await reasons(client, ANNA, BERT) == [CHANGED, []]

    await hear(scoring, merged_into(CARLA, ANNA), contact_changed(ANNA, now - HOUR, told_at=now))
    assert await reasons(client, CARLA) == [CHANGED]


async def test_what_waits_for_a_merge_starts_again(scoring: Scoring, now: datetime) -> None:
    told = linked(BERT, now, 2)

    async def note(transaction: Transaction) -> None:
        with pytest.raises(StartAgainError):
            await note_identifiers(transaction, [told])

    await hear(scoring, linked(BERT, now - MONTH, 1))
    await interleave(scoring.database, lambda merging: merge_members(merging, [merged_into(ANNA, BERT)]), note)
    await hear(scoring, told)
    assert [await times(scoring, one) for one in (ANNA, BERT)] == [(now - MONTH, now), None]


async def test_an_export_tells_the_times_and_an_erasure_forgets_them(
    client: httpx2.AsyncClient, scoring: Scoring, now: datetime
) -> None:
    links: list[MemberEvent] = [linked(ANNA, now - MONTH, 1), linked(ANNA, now, 2), contact_changed(ANNA, now)]
    await hear(scoring, *links)
    for limit in (1, 50):
        [told] = await read_all(client, ANNA, limit)
        assert (told["kind"], set(told)) == (
            "identifier_times",
            {"kind", "first_linked_at", "last_linked_at", "contact_changed_at"},
        )
        assert [datetime.fromisoformat(told[at]) for at in ("last_linked_at", "contact_changed_at")] == [now, now]

    await hear(scoring, *links, erased(ANNA, card(1), card(2)), *links)
    await hear(scoring, *links)

    assert await times(scoring, ANNA) is None
    assert await read_all(client, ANNA) == []


async def test_what_a_ceiling_let_go_is_scored_as_of_when_it_went(scoring: Scoring, now: datetime) -> None:
    await hear(scoring, linked(ANNA, now - MONTH, 1), linked(ANNA, now - HOUR, 2))
    before, after = _held(now - 2 * HOUR), _held(now)
    handler = RedemptionHandler(scoring.database, ACTIVE_SPEND_RULE_SET)
    await handler.handle(batch_of([before, after, before], REDEMPTIONS.topic))
    [flagged] = await scoring.told()
    assert isinstance(flagged, SpendFlagged)
    assert (flagged.data.subject_id, flagged.data.rule_codes) == (after.data.redemption_id, tuple(CHANGED))


def _held(at: datetime) -> RedemptionHeld:
    data = HoldData(
        redemption_id=new_id(),
        member_id=ANNA,
        partner_id="grocer",
        point_type="points",
        points=1_000,
        expires_at=at + HOUR,
        balance=Balance(available=0, held=1_000, pending=0, debt=0),
        decided_by="ceiling",
        decision_id=new_id(),
        store_id="s1",
    )
    return RedemptionHeld(id=new_id(), source="redemption", subject=str(data.redemption_id), time=at, data=data)


def test_identifiers_are_read() -> None:
    assert wants_member({"type": b"loyalty.identifier.linked.v1"})
    assert wants_member({"type": b"loyalty.identifier.revoked.v1"})
    assert wants_member({"type": b"loyalty.contact.changed.v1"})
