"""Files of adjustments: each line once, whatever breaks off and whoever sends it again."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from services.accrual.use_cases import decide_adjustment_files, import_adjustments
from shared.events.adjustments import PointsAdjusted
from shared.ledger import Balances
from tests.support.accrual import Accrual
from tests.support.accrual_members import new_member
from tests.support.adjusting import (
    ADJUSTMENTS,
    BOSS,
    FILES,
    HEADER,
    SUPPORT,
    Client,
    adjust,
    asked,
    decide,
    file_now,
    listed,
    sent,
    settle_all,
    slug,
)
from tests.support.databases import FreshDatabase
from tests.support.ledger_database import verified
from tests.support.receipts import enrolled, member, purchase
from tests.support.registries import bearing


async def test_a_file_is_posted_line_by_line_and_says_of_each_that_was_not_why(
    client: Client, module_accrual: Accrual, anna: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_adjustments, "PAGE_RECORDS", 3)
    monkeypatch.setattr(decide_adjustment_files, "POSTED_PER_PASS_MAX", 2)
    bert = new_member()
    await module_accrual.members(enrolled(bert))
    content = "".join(
        (
            f"{anna},100,complaint,,\n",
            f"{bert},250,goodwill,2099-12-31,for the delay\n",
            f"{member(9_999)},5,complaint,,\n",
            f"{anna},ten,complaint,,\n",
            f"{anna},5,because,,\n",
            f"{anna},-5000,mistake,,\n",
            f"{anna},-30,mistake,,\n",
            "too,few\n",
            f"{anna},5,complaint,,call 2125550100 7\n",
        )
    )

    file = await sent(client, "delay-2026-11", content)
    assert (file["state"], file["accepted"], file["refused"], file["points_total"]) == ("approved", 4, 5, 5_380)
    assert await module_accrual.balance(anna) == Balances()
    assert await settle_all(module_accrual) == 4
    assert await settle_all(module_accrual) == 0

    done = await file_now(client, file["file_id"])
    assert (done["state"], done["posted"], done["failed"]) == ("posted", 3, 1)
    refusals = await listed(client, f"{FILES}/{file['file_id']}/refusals")
    assert [(each["line"], each["reason"], each["column"]) for each in refusals] == [
        (4, "member_unknown", "member_id"),
        (5, "int_type", "points"),
        (6, "unknown_reason", "reason_code"),
        (7, "insufficient_points", None),
        (9, "wrong_number_of_fields", None),
        (10, "unusable", "note"),
    ]
    assert await module_accrual.balance(anna) == Balances(available=70)
    assert await module_accrual.balance(bert) == Balances(available=250)
    told = [event for event in await module_accrual.drain() if isinstance(event, PointsAdjusted)]
    assert [event.data.points for event in told if event.data.member_id == anna] == [100, -30]
    assert {str(event.data.file_id) for event in told} == {file["file_id"]}
    lines = await listed(client, file_id=file["file_id"])
    assert sorted(each["line"] for each in lines) == [2, 3, 7, 8]


async def test_a_file_that_broke_off_or_is_sent_again_posts_nothing_twice(
    client: Client, module_accrual: Accrual, anna: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_adjustments, "PAGE_RECORDS", 2)
    headers = bearing("adjustments:write", client_id=SUPPORT)
    declared = (await client.post(FILES, json={"name": "broken-cable"}, headers=headers)).json()
    lines = [f"{anna},{points},complaint,,\n" for points in (1, 2, 4, 8, 16)]

    async def breaking_off() -> AsyncIterator[bytes]:
        yield (HEADER + "".join(lines[:3])).encode()
        raise ConnectionResetError("the cable was pulled")

    csv = headers | {"Content-Type": "text/csv"}
    assert (await client.put(declared["content_url"], content=breaking_off(), headers=csv)).is_server_error
    assert (await file_now(client, declared["file_id"]))["records_taken"] == 2
    assert await settle_all(module_accrual) == 0  # nothing moves before all of it is there

    whole = await client.put(declared["content_url"], content=HEADER + "".join(lines), headers=csv)
    assert whole.json()["state"] == "approved"
    assert await settle_all(module_accrual) == 5
    again = await client.put(declared["content_url"], content=HEADER + "".join(lines), headers=csv)
    assert again.json()["state"] == "posted"
    redeclared = await client.post(FILES, json={"name": "broken-cable"}, headers=bearing(client_id=SUPPORT))
    assert redeclared.json()["file_id"] == declared["file_id"]
    assert await settle_all(module_accrual) == 0
    assert await module_accrual.balance(anna) == Balances(available=31)

    other = await client.post(FILES, json={"name": "broken-cable"}, headers=bearing(client_id=BOSS))
    assert slug(other) == (409, "adjustment-file-exists")
    by_other = await client.put(
        declared["content_url"], content=HEADER, headers=bearing(client_id=BOSS) | {"Content-Type": "text/csv"}
    )
    assert slug(by_other) == (403, "another-author")


async def test_a_large_file_and_a_repeated_one_wait_for_a_second_person(
    client: Client, module_accrual: Accrual, anna: UUID
) -> None:
    many = "".join(f"{anna},9000,complaint,,\n" for _ in range(12))
    small = f"{anna},11,complaint,,\n"
    large = await sent(client, "large", many)
    one_large_line = await sent(client, "one-large-line", f"{anna},10001,complaint,,\n")
    first = await sent(client, "small", small)
    twin = await sent(client, "small-again", small)

    assert [each["state"] for each in (large, one_large_line, first, twin)] == [
        "waiting",
        "waiting",
        "approved",
        "waiting",
    ]
    assert twin["repeats_file_id"] == first["file_id"]
    assert await settle_all(module_accrual) == 1
    assert {each["name"] for each in await listed(client, FILES, state="waiting")} >= {"large", "small-again"}

    path = f"{FILES}/{large['file_id']}"
    assert slug(await decide(client, f"{path}/approve", by=SUPPORT)) == (403, "own-adjustment")
    approved = await decide(client, f"{path}/approve")
    assert (approved.json()["state"], approved.json()["decided_by"]) == ("approved", BOSS)
    assert (await decide(client, f"{path}/approve")).status_code == 200
    refused = await decide(client, f"{FILES}/{twin['file_id']}/refuse", by=SUPPORT)  # its sender takes it back
    assert refused.json()["state"] == "refused"
    assert slug(await decide(client, f"{FILES}/{twin['file_id']}/approve")) == (409, "adjustment-decided")
    line = (await listed(client, file_id=one_large_line["file_id"]))[0]
    assert slug(await decide(client, f"{ADJUSTMENTS}/{line['adjustment_id']}/approve")) == (409, "adjustment-decided")

    assert await settle_all(module_accrual) == 13
    assert await module_accrual.balance(anna) == Balances(available=12 * 9_000 + 11)
    turned_down = await listed(client, file_id=twin["file_id"])
    assert [each["refused_because"] for each in turned_down] == ["not_approved"]


async def test_two_workers_and_a_receipt_meet_on_one_member_and_nothing_is_lost(
    client: Client, module_accrual: Accrual, anna: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decide_adjustment_files, "POSTED_PER_PASS_MAX", 5)
    files = [
        await sent(client, f"race-{number}", "".join(f"{anna},{number},complaint,,\n" for _ in range(20)))
        for number in (1, 2)
    ]
    await asyncio.gather(
        *(settle_all(module_accrual) for _ in range(3)),
        module_accrual.award(purchase(1, 1000, owner=anna)),
        *(adjust(client, asked(anna, 100)) for _ in range(4)),
    )
    assert [(await file_now(client, each["file_id"]))["state"] for each in files] == ["posted", "posted"]
    assert await module_accrual.balance(anna) == Balances(available=20 + 40 + 10 + 400)


async def test_the_ledger_bears_all_of_it_out(module_database: FreshDatabase) -> None:
    assert (await verified(module_database)).findings == ()
