"""What a till may not ask: a named problem each, and nothing is reserved, taken or let go."""

from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import httpx2

from services.redemption.use_cases.hold_points import Held
from shared.ids import IdentifierType, hash_identifier
from tests.support.adjusting import slug
from tests.support.member_events import revoked
from tests.support.price_floors import floor
from tests.support.receipts import member
from tests.support.redemption import KEY, Admin, Spending, linked
from tests.support.registries import bearing

ANNA, BERT, CARA = (member(number) for number in range(1, 4))
CARD = "000000000042"
DAY_SECONDS = 86_400
INVALID, REUSED = (422, "invalid-request"), (422, "idempotency-key-reused")
RECEIPT = {
    "scheme": "sequence",
    "store_id": "s1",
    "till_id": "1",
    "business_date": "2026-11-01",
    "shift": 1,
    "number": 77,
}

_POINTS = """
    select
        (select count(*) from ledger.ledger_transfers) as transfers,
        (select array_agg((redemption_id, state, open_points, captured_points) order by redemption_id)::text
            from redemption.redemptions where state <> 'declined') as redemptions,
        (select count(*) from redemption.redemption_captures) as captures,
        (select count(*) from redemption.redemption_exceptions) as exceptions
"""


class Bad(NamedTuple):
    """One request; ``pointer`` names the field, where one is wrong by itself."""

    why: str
    path: str
    body: dict[str, Any] | None
    answer: tuple[int, str]
    pointer: str | None = None
    key: str | None = None


def hold_of(owner: UUID, **said: Any) -> dict[str, Any]:
    return {"member_id": str(owner), "points": 10} | said


def shown(value: str) -> dict[str, Any]:
    return {"points": 10, "identifier": {"type": "card", "value": value}}


class Told(NamedTuple):
    """A hold that is not to be taken, and what is said of it."""

    redemption_id: UUID
    answer: tuple[int, str]


async def prepared(spending: Spending, admin: Admin) -> tuple[UUID, dict[str, Told]]:
    """One hold that is open, and others that are not, or not the till's."""
    await spending.enrol(ANNA, 1000)
    await spending.enrol(BERT, 1000, "suspended")
    card = hash_identifier(IdentifierType.CARD, CARD, KEY)
    await spending.members(linked(ANNA, card), revoked(ANNA, card, "replaced"))
    expired = await spending.held(ANNA, 100, seconds=1)
    await spending.expire(await spending.advance(admin, timedelta(seconds=2)))
    opened, captured, voided = [await spending.held(ANNA, 100, seconds=DAY_SECONDS) for _ in range(3)]
    await spending.capture(captured.redemption_id, 1)
    await spending.void(voided.redemption_id)
    foreign = await spending.hold(ANNA, 100, partner_id="fuel", seconds=DAY_SECONDS)
    assert isinstance(foreign, Held)
    return opened.redemption_id, {
        "unknown": Told(uuid4(), (404, "not-found")),
        "foreign": Told(foreign.redemption.redemption_id, (404, "not-found")),
        "expired": Told(expired.redemption_id, (409, "hold-not-open")),
        "captured": Told(captured.redemption_id, (409, "hold-not-open")),
        "voided": Told(voided.redemption_id, (409, "hold-not-open")),
    }


def bad_holds(opened: UUID, gone: dict[str, Told]) -> list[Bad]:
    again = {
        "foreign": "redemption-id-taken",
        "expired": "hold-not-open",
        "captured": "already-captured",
        "voided": "hold-not-open",
    }
    return [
        Bad("amount zero", "", hold_of(ANNA, points=0), INVALID, "/points"),
        Bad("amount negative", "", hold_of(ANNA, points=-1), INVALID, "/points"),
        Bad("another currency", "", hold_of(ANNA, currency="EUR"), INVALID, "/currency"),
        Bad("another point type", "", hold_of(ANNA, point_type="miles"), INVALID, "/point_type"),
        Bad("more while facts are old", "", hold_of(ANNA, points=10_000), (503, "facts-behind")),
        Bad("more than is free", "", hold_of(ANNA, points=4_000), (409, "insufficient-points")),
        Bad("blocked member", "", hold_of(BERT), (409, "member-suspended")),
        Bad("unknown member", "", hold_of(member(9)), (404, "unknown-member")),
        Bad("replaced card", "", shown(CARD), (409, "identifier-blocked")),
        Bad("unknown card", "", shown("000000000099"), (404, "unknown-member")),
        Bad("forgotten quote", "", hold_of(ANNA, quote_id=str(uuid4())), (409, "unknown-quote")),
        Bad("held already", "", hold_of(ANNA, redemption_id=str(opened)), (409, "redemption-id-taken")),
        *(
            Bad(f"held again: {why}", "", hold_of(ANNA, redemption_id=str(gone[why].redemption_id)), (409, answer))
            for why, answer in again.items()
        ),
    ]


async def bad_quotes(client: httpx2.AsyncClient, spending: Spending) -> list[Bad]:
    """Holds by quotes: of somebody else, of fewer points, of another conversation, and one whose price is another by
    now."""
    await spending.enrol(CARA, 1000)
    till = bearing("redemptions:write", client_id="g", partner_id="grocer")
    session_id = str(uuid4())

    async def quoted(owner: UUID, sku: str) -> str:
        lines = [{"line_id": 1, "sku": sku, "amount_minor": 300}]
        body = {"member_id": str(owner), "lines": lines, "session_id": session_id}
        return str((await client.post("/v1/quotes", json=body, headers=till)).json()["quote_id"])

    others, own, stale = await quoted(CARA, "bread"), await quoted(ANNA, "bread"), await quoted(ANNA, "book")
    await spending.coalition(floor("book", 100))
    return [
        Bad("another member's quote", "", hold_of(ANNA, quote_id=others), (409, "unknown-quote")),
        Bad("more than was quoted", "", hold_of(ANNA, points=301, quote_id=own), (409, "not-quoted")),
        Bad(
            "a quote of another session",
            "",
            hold_of(ANNA, quote_id=own, session_id=str(uuid4())),
            (409, "other-session"),
        ),
        Bad("stale quote", "", hold_of(ANNA, points=300, quote_id=stale), (409, "price-changed")),
    ]


def bad_settlings(opened: UUID, gone: dict[str, Told]) -> list[Bad]:
    receipt = {"receipt": RECEIPT}
    take, let_go = f"/{opened}/capture", f"/{opened}/void"
    of_others = [(why, one) for why, one in gone.items() if why != "unknown"]  # that void is kept: its hold may come
    return [
        *(Bad(f"capture: {why}", f"/{one.redemption_id}/capture", receipt, one.answer) for why, one in gone.items()),
        *(Bad(f"void: {why}", f"/{one.redemption_id}/void", None, one.answer) for why, one in of_others),
        Bad("capture zero", take, receipt | {"points": 0}, INVALID, "/points"),
        Bad("capture negative", take, receipt | {"points": -1}, INVALID, "/points"),
        Bad("above the hold", take, receipt | {"points": 101}, (409, "exceeds-hold")),
        Bad("capture in a currency", take, receipt | {"currency": "EUR"}, INVALID, "/currency"),
        Bad(
            "capture on a day that is a number",
            take,
            {"receipt": RECEIPT | {"business_date": 1_761_955_200}},
            INVALID,
            "/receipt/business_date",
        ),
        Bad("capture for no receipt", take, {"points": 1}, INVALID, "/receipt"),
        Bad("reused key, another hold", "", hold_of(ANNA, points=11), REUSED, key="used"),
        Bad("reused key, a capture", take, receipt, REUSED, key="used"),
        Bad("reused key, a void", let_go, None, REUSED, key="used"),
    ]


async def test_a_named_problem_each_and_nothing_changed(
    client: httpx2.AsyncClient, spending: Spending, admin: Admin
) -> None:
    prepared_holds = await prepared(spending, admin)
    requests = [*bad_holds(*prepared_holds), *await bad_quotes(client, spending), *bad_settlings(*prepared_holds)]
    till = bearing("redemptions:write", client_id="g", partner_id="grocer")
    first = await client.post("/v1/redemptions", json=hold_of(ANNA), headers=till | {"Idempotency-Key": "used"})
    assert first.status_code == 201
    before = await admin.fetchrow(_POINTS)
    answers: dict[str, tuple[int, str] | tuple[int, str, str]] = {}
    for bad in requests:
        headers = till | {"Idempotency-Key": bad.key or uuid4().hex}
        answer = await client.post(f"/v1/redemptions{bad.path}", json=bad.body, headers=headers)
        answers[bad.why] = slug(answer)
        if bad.pointer is not None:
            answers[bad.why] = (*slug(answer), answer.json()["errors"][0]["pointer"])

    expected = {bad.why: bad.answer if bad.pointer is None else (*bad.answer, bad.pointer) for bad in requests}
    assert answers == expected
    assert await admin.fetchrow(_POINTS) == before


async def test_what_no_database_keeps_is_refused_by_its_field(client: httpx2.AsyncClient) -> None:
    rate = {"id": "a", "name": "A", "points": 1, "per_minor": 1}
    elsewhere = rate | {"id": "b", "where": {"partners": ["no\x00body"]}}
    told = {"privilege_id": "p", "name": "P", "entitlement": {"kind": "everyone"}, "first_day": "2026-01-01"}
    reward = {"partner_id": "grocer", "titles": {"en": "no\x00thing"}, "points": 5}
    clerk = bearing("write-off-rules:write", "privileges:write", "rewards:write", client_id="c")
    found = {}
    for path, body in (
        ("write-off-rules", {"rates": [elsewhere, rate]}),
        ("privileges", told | {"benefit": {"kind": "information", "text": "no\x00news"}}),
        ("rewards", {"reward_id": "r", "terms": reward}),
    ):
        answer = await client.post(f"/v1/{path}", json=body, headers=clerk | {"Idempotency-Key": uuid4().hex})
        found[path] = (answer.status_code, answer.json()["errors"][-1]["pointer"])

    assert found == {
        "write-off-rules": (422, "/rates/0/where/partners/0"),
        "privileges": (422, "/benefit/text"),
        "rewards": (422, "/terms/titles/en"),
    }
