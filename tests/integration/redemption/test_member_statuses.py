"""What a member's status does to spending: every cell of the README's table, and how a status moves."""

from datetime import timedelta

import httpx2
import pytest

from services.redemption.domain.errors import UnknownMemberError
from services.redemption.domain.redemption import State
from services.redemption.domain.standing import DECLINES, HIDDEN
from services.redemption.use_cases.hold_points import Declined, Held
from shared.events.members import MemberStatus
from tests.support.member_events import STATUSES, changed, status_changed
from tests.support.receipts import member
from tests.support.redemption import Admin, Spending, paid_with_points, tender_of
from tests.support.registries import bearing

ANNA = member(1)
# The README's table.
HOLDS: dict[MemberStatus, str] = {
    "active": "held",
    "suspended": "member_suspended",
    "earn_only": "member_earn_only",
    "spend_locked": "member_spend_locked",
    "merged": "member_merged",
    "closed": "member_closed",
    "erased": "unknown",
}


def test_the_table_has_every_status() -> None:
    assert set(DECLINES) | HIDDEN == {*STATUSES, "unknown"}
    assert set(HOLDS) == set(STATUSES)


@pytest.mark.parametrize("status", STATUSES)
async def test_a_hold(spending: Spending, status: MemberStatus) -> None:
    await spending.enrol(ANNA, 1000)
    await spending.members(status_changed(ANNA, status))

    try:
        outcome = await spending.hold(ANNA, 400)
    except UnknownMemberError:
        answer = "unknown"
    else:
        assert isinstance(outcome, Held | Declined)
        answer = outcome.decline.reason if isinstance(outcome, Declined) else "held"

    assert answer == HOLDS[status]
    assert (await spending.balance(ANNA)).held == (400 if answer == "held" else 0)


@pytest.mark.parametrize("status", STATUSES)
async def test_what_is_reserved_can_be_taken(spending: Spending, status: MemberStatus) -> None:
    await spending.enrol(ANNA, 1000)
    held = await spending.held(ANNA, 400)
    await spending.members(status_changed(ANNA, status))

    captured = await spending.capture(held.redemption_id)

    assert captured.capture.points == 400
    await spending.check([ANNA], 1000)


@pytest.mark.parametrize("status", STATUSES)
async def test_what_is_reserved_can_be_let_go(spending: Spending, status: MemberStatus) -> None:
    await spending.enrol(ANNA, 1000)
    held = await spending.held(ANNA, 400)
    await spending.members(status_changed(ANNA, status))

    await spending.void(held.redemption_id)

    assert (await spending.balance(ANNA)).available == 1000


@pytest.mark.parametrize("status", STATUSES)
async def test_what_is_reserved_expires(spending: Spending, admin: Admin, status: MemberStatus) -> None:
    await spending.enrol(ANNA, 1000)
    held = await spending.held(ANNA, 400, seconds=60)
    await spending.members(status_changed(ANNA, status))

    await spending.expire(await spending.advance(admin, timedelta(hours=1)))

    assert (await spending.redemption(held.redemption_id)).state is State.EXPIRED
    assert (await spending.balance(ANNA)).available == 1000


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("is_held", [True, False])
async def test_a_tender_in_a_receipt_is_a_fact(spending: Spending, status: MemberStatus, is_held: bool) -> None:
    await spending.enrol(ANNA, 1000)
    held = await spending.held(ANNA, 400) if is_held else None
    await spending.members(status_changed(ANNA, status))
    redemption_id = held.redemption_id if held is not None else None

    await spending.settle(tender_of(paid_with_points(1, 400, redemption_id, owner=ANNA)))

    assert (await spending.balance(ANNA)).available == 600
    await spending.check([ANNA], 1000)


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("what", ["balance", "statement"])
async def test_what_is_shown(client: httpx2.AsyncClient, spending: Spending, status: MemberStatus, what: str) -> None:
    await spending.enrol(ANNA, 1000)
    await spending.members(status_changed(ANNA, status))

    answer = await client.get(f"/v1/members/{ANNA}/{what}", headers=bearing("balances:read"))

    assert answer.status_code == (404 if status == "erased" else 200)


async def test_a_status_only_moves_to_a_higher_version(spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    await spending.members(status_changed(ANNA, "spend_locked", version=3), status_changed(ANNA, "active", version=2))
    await spending.members(status_changed(ANNA, "active", version=2), changed(ANNA, version=2))
    locked = await spending.hold(ANNA, 10)

    await spending.members(changed(ANNA, version=4))
    unlocked = await spending.hold(ANNA, 10)

    assert isinstance(locked, Declined)
    assert isinstance(unlocked, Held)
