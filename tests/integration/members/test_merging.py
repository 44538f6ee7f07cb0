"""Two members turn out to be one person: one stays, has everything, and answers for both ids for ever."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from services.members.domain.errors import MemberMergedError
from services.members.domain.identities import Identities
from services.members.domain.merging import MergeRequest
from services.members.use_cases.link_identifier import link_identifier
from services.members.use_cases.merge_members import merge_members
from shared.database import Database, Transaction
from shared.events.catalogue import MEMBERS
from shared.events.members import (
    ConsentChanged,
    IdentifierLinked,
    IdentifierRevoked,
    MemberChanged,
    MemberEnrolled,
    MemberErased,
    MemberEvent,
    MembersMerged,
)
from tests.support.enrolling import enrol_somebody
from tests.support.interleaving import interleave
from tests.support.outbox_rows import recorded_events
from tests.support.registries import bearing, members_settings

SETTINGS = members_settings()
REASONS = frozenset({"duplicate"})
CARD = {"type": "card", "value": "9001 2345 6789"}
PHONE = {"type": "phone", "value": "212 555 0199"}
SMS = {"purpose": "marketing", "channel": "sms", "text_version": "1", "language": "en", "source": "web"}


async def merge(client: httpx2.AsyncClient, survivor: str, merged: str, **others: str) -> httpx2.Response:
    body = {"merged_member_id": merged, "reason_code": "duplicate"} | others
    return await client.post(f"/v1/members/{survivor}/merge", json=body, headers=bearing(client_id="ann"))


async def read(client: httpx2.AsyncClient, path: str) -> dict[str, Any]:
    answer = await client.get(f"/v1/members/{path}", headers=bearing())
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def told(database: Database, survivor: str) -> list[MemberEvent]:
    """What was recorded from the merge on: all of it under the survivor."""
    recorded = await recorded_events(database, MEMBERS)
    first = next(place for place, row in enumerate(recorded) if isinstance(row.event, MembersMerged))
    assert {row.key for row in recorded[first:]} == {survivor}
    return [row.event for row in recorded[first:]]


def problem(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rpartition("/")[2]


async def test_the_survivor_has_identifiers_and_what_the_other_one_knew(
    client: httpx2.AsyncClient, database: Database
) -> None:
    survivor = await enrol_somebody(client, PHONE, given_name="Ada")
    merged = await enrol_somebody(client, CARD, given_name="Adda", phone="212 555 0142", birth_date="1990-12-10")

    answer = await merge(client, survivor, merged)

    assert (answer.status_code, answer.json()) == (
        200,
        {"member_id": survivor, "version": 2, "merged_member_id": merged},
    )
    ada = await read(client, survivor)
    assert (ada["given_name"], ada["phone"], ada["birth_date"]) == ("Ada", "+12125550142", "1990-12-10")
    assert {identifier["type"] for identifier in ada["identifiers"]} == {"card", "phone"}
    async with database.transaction() as transaction:  # what is filled in counts as filled
        known = await transaction.raw.fetchrow("select phone_at, birth_date_at, address_at from persons")
    assert known is not None
    assert [moment is not None for moment in known] == [True, True, False]
    first, linked, changed = await told(database, survivor)
    assert isinstance(first, MembersMerged)
    assert (first.data.merged_member_id, first.data.version, first.data.merged_version) == (UUID(merged), 2, 2)
    assert isinstance(linked, IdentifierLinked)
    assert (linked.data.member_id, linked.data.version, linked.data.identifier_type) == (UUID(survivor), 2, "card")
    assert isinstance(changed, MemberChanged)
    assert (changed.data.version, changed.data.birth_month) == (2, 12)
    history = (await read(client, f"{survivor}/identifier-changes"))["changes"]
    assert (history[0]["action"], history[0]["reason_code"], history[0]["author"]) == ("merge", "duplicate", "ann")


async def test_the_old_id_is_read_as_the_survivor_and_not_written_any_more(
    client: httpx2.AsyncClient, database: Database
) -> None:
    survivor, merged = await enrol_somebody(client), await enrol_somebody(client, CARD)
    await merge(client, survivor, merged)

    assert await read(client, merged) == await read(client, survivor)
    assert (await read(client, f"{merged}/contact"))["member_id"] == survivor
    assert (await read(client, f"{merged}/consents"))["member_id"] == survivor
    assert (await read(client, f"{merged}/terms-acceptances"))["member_id"] == survivor
    resolved = await client.post("/v1/identifiers:resolve", json=CARD, headers=bearing())
    assert resolved.json()["member_id"] == survivor
    for path, body in (
        ("identifiers", PHONE),
        ("suspend", {"reason_code": "mistake"}),
        ("close", {"reason_code": "mistake"}),
        ("consents", SMS | {"is_granted": False}),
    ):
        refused = await client.post(f"/v1/members/{merged}/{path}", json=body, headers=bearing())
        assert problem(refused) == (409, "member-merged"), refused.text
        assert survivor in refused.json()["detail"]
    corrected = await client.patch(
        f"/v1/members/{merged}", json={"given_name": "Eve"}, headers=bearing() | {"If-Match": '"2"'}
    )
    assert problem(corrected) == (409, "member-merged")
    async with database.transaction() as transaction:  # whoever it was is kept once
        kept = await transaction.raw.fetch("select member_id::text from persons natural join member_keys")
    assert [row["member_id"] for row in kept] == [survivor]
    again = await client.post(
        "/v1/members",
        json={"given_name": "A", "family_name": "B", "email": await _email_of(client, survivor), "language": "en"},
        headers=bearing(),
    )
    assert problem(again) == (409, "already-enrolled")


async def test_merging_again_changes_nothing_and_chains_are_flat(
    client: httpx2.AsyncClient, database: Database
) -> None:
    one, two, three = [await enrol_somebody(client) for _ in range(3)]
    first = await merge(client, two, one)
    again = await merge(client, two, one)
    assert (again.status_code, again.json()) == (200, first.json())
    assert len([event for event in await told(database, two) if isinstance(event, MembersMerged)]) == 1

    assert problem(await merge(client, one, two)) == (409, "member-merged")  # the other way round
    assert problem(await merge(client, three, one)) == (409, "member-merged")
    assert (await merge(client, three, two)).status_code == 200
    assert (await read(client, one))["member_id"] == (await read(client, two))["member_id"] == three


async def test_what_cannot_be_merged(client: httpx2.AsyncClient) -> None:
    one, two, gone, limited = [await enrol_somebody(client) for _ in range(4)]
    for member_id, act in ((gone, "close"), (limited, "suspend")):
        await client.post(f"/v1/members/{member_id}/{act}", json={"reason_code": "mistake"}, headers=bearing())

    assert problem(await merge(client, one, one)) == (422, "invalid-request")
    assert problem(await merge(client, one, two, reason_code="whim")) == (422, "invalid-request")
    assert problem(await merge(client, one, str(uuid4()))) == (404, "not-found")
    assert problem(await merge(client, str(uuid4()), one)) == (404, "not-found")
    assert problem(await merge(client, one, gone)) == (409, "member-gone")
    assert problem(await merge(client, gone, one)) == (409, "member-gone")
    assert problem(await merge(client, one, limited)) == (409, "merge-lifts-limit")
    assert (await merge(client, limited, one)).status_code == 200
    partner = await client.post(
        f"/v1/members/{two}/merge",
        json={"merged_member_id": one, "reason_code": "duplicate"},
        headers=bearing(partner_id="grocer"),
    )
    assert problem(partner) == (403, "programme-only")


async def test_of_two_consents_the_one_that_was_given_last_holds(
    client: httpx2.AsyncClient, database: Database
) -> None:
    for channel in ("sms", "email", "post"):
        text: dict[str, Any] = {"purpose": "marketing", "channel": channel, "text_version": "1"}
        text |= {"wordings": [{"language": "en", "wording": "Yes."}]}
        assert (await client.post("/v1/consent-texts", json=text, headers=bearing())).status_code == 201
    survivor, merged = await enrol_somebody(client), await enrol_somebody(client)

    async def say(member_id: str, **others: object) -> dict[str, Any]:
        answer = await client.post(
            f"/v1/members/{member_id}/consents", json=SMS | {"is_granted": True} | others, headers=bearing()
        )
        assert answer.status_code == 201, answer.text
        answered: dict[str, Any] = answer.json()
        return answered

    await say(survivor, stated_at="2026-03-01T10:00:00Z")
    await say(merged, is_granted=False, stated_at="2026-03-01T11:00:00Z")  # newer: it holds
    await say(survivor, channel="post", stated_at="2026-03-01T11:00:00Z")
    await say(merged, channel="post", is_granted=False, stated_at="2026-03-01T10:00:00Z")  # older: it does not
    older = await say(survivor, channel="email", stated_at="2026-03-01T10:00:00Z")
    newer = await say(merged, channel="email", stated_at="2026-03-01T11:00:00Z")

    assert (await merge(client, survivor, merged)).status_code == 200

    held = {one["channel"]: one["is_granted"] for one in (await read(client, f"{merged}/consents"))["consents"]}
    assert held == {"sms": False, "post": True}
    changed = [event.data for event in await told(database, survivor) if isinstance(event, ConsentChanged)]
    assert [(one.channel, one.version, one.is_granted) for one in changed] == [("sms", 2, False)]
    assert len((await read(client, f"{survivor}/consents/history"))["items"]) == 6
    for said, status in ((older, 409), (newer, 200)):
        token = {"token": said["confirmation"]["token"]}
        assert (await client.post("/v1/consents:confirm", json=token, headers=bearing())).status_code == status
    assert {one["channel"] for one in (await read(client, f"{survivor}/consents"))["consents"]} == {
        "sms",
        "post",
        "email",
    }


async def referral_code(client: httpx2.AsyncClient, member_id: str) -> str:
    answer = await client.post(f"/v1/members/{member_id}/referral-code", headers=bearing())
    assert answer.status_code == 200, answer.text
    return str(answer.json()["referral_code"])


async def test_referral_codes_of_both_bring_friends_to_the_survivor(
    client: httpx2.AsyncClient, database: Database
) -> None:
    last, survivor, merged, without = [await enrol_somebody(client) for _ in range(4)]
    old, own = await referral_code(client, merged), await referral_code(client, survivor)
    assert (await merge(client, survivor, merged)).status_code == 200
    assert await referral_code(client, survivor) == own

    for code in (old, own):
        await enrol_somebody(client, referral_code=code)
    assert (await merge(client, last, survivor)).status_code == 200  # flat: it answers for both
    assert await referral_code(client, last) in {old, own}  # friends have it already
    for code in (old, own):
        await enrol_somebody(client, referral_code=code)

    events = [row.event for row in await recorded_events(database, MEMBERS)]
    brought = [str(event.data.referred_by) for event in events if isinstance(event, MemberEnrolled)][4:]
    assert brought == [survivor, survivor, last, last]
    assert await referral_code(client, without) not in {old, own}
    await client.post(f"/v1/members/{last}/close", json={"reason_code": "mistake"}, headers=bearing())
    body = {"given_name": "A", "family_name": "B", "email": "b@example.com", "language": "en", "referral_code": old}
    assert problem(await client.post("/v1/members", json=body, headers=bearing())) == (422, "referral-code")


async def test_either_address_of_two_who_are_one_may_become_the_survivors(client: httpx2.AsyncClient) -> None:
    survivor, merged = (
        await enrol_somebody(client, email="one@example.com"),
        await enrol_somebody(client, email="two@example.com"),
    )
    assert (await merge(client, survivor, merged)).status_code == 200

    for email, version in (("two@example.com", 2), ("one@example.com", 3)):
        answer = await client.patch(
            f"/v1/members/{survivor}", json={"email": email}, headers=bearing() | {"If-Match": f'"{version}"'}
        )
        assert answer.status_code == 200, answer.text
        assert await _email_of(client, survivor) == email


async def test_attributes_go_over_sealed_anew_and_the_one_stated_last_holds(client: httpx2.AsyncClient) -> None:
    for code in ("shoe", "hat"):
        declared = {"code": code, "type": "text", "is_personal": True, "text_length_max": 20}
        assert (await client.post("/v1/attributes", json=declared, headers=bearing())).status_code == 201
    survivor, merged = await enrol_somebody(client), await enrol_somebody(client)

    async def fill(member_id: str, code: str, value: str, day: int) -> None:
        body = {"value": value, "source": "app", "stated_at": f"2026-03-{day:02}T10:00:00Z"}
        answer = await client.put(f"/v1/members/{member_id}/attributes/{code}", json=body, headers=bearing())
        assert answer.status_code == 200, answer.text

    await fill(survivor, "shoe", "old", 1)
    await fill(merged, "shoe", "new", 2)
    await fill(survivor, "hat", "new", 2)
    await fill(merged, "hat", "old", 1)

    assert (await merge(client, survivor, merged)).status_code == 200

    told = await read(client, f"{merged}/attributes")
    assert told["member_id"] == survivor
    assert {one["code"]: one["value"] for one in told["attributes"]} == {"shoe": "new", "hat": "new"}
    for code in ("shoe", "hat"):
        history = (await read(client, f"{survivor}/attributes/{code}/history"))["items"]
        assert {one["value"] for one in history} == {"old", "new"}


async def test_a_blocked_card_stays_blocked(client: httpx2.AsyncClient, database: Database) -> None:
    survivor, merged = await enrol_somebody(client), await enrol_somebody(client, CARD)
    blocked = {"identifier": CARD, "reason_code": "card_lost"}
    assert (await client.post("/v1/identifiers:block", json=blocked, headers=bearing())).status_code == 200

    await merge(client, survivor, merged)

    _, revoked = await told(database, survivor)
    assert isinstance(revoked, IdentifierRevoked)
    assert (revoked.data.member_id, revoked.data.state, revoked.data.version) == (UUID(survivor), "blocked", 3)


async def test_into_each_other_at_once_one_wins(client: httpx2.AsyncClient, database: Database) -> None:
    for _ in range(5):
        one, two = await enrol_somebody(client), await enrol_somebody(client)
        answers = await asyncio.gather(merge(client, one, two), merge(client, two, one), merge(client, one, two))
        assert sorted({answer.status_code for answer in answers}) == [200, 409]
        assert (await read(client, one)) == (await read(client, two))
    merges = [row for row in await recorded_events(database, MEMBERS) if isinstance(row.event, MembersMerged)]
    assert len(merges) == 5


@pytest.mark.parametrize("is_merge_first", [True, False], ids=["merge first", "link first"])
async def test_a_card_is_linked_while_the_merge_runs(
    client: httpx2.AsyncClient, database: Database, is_merge_first: bool
) -> None:
    survivor, merged = await enrol_somebody(client), await enrol_somebody(client, CARD)
    claim = Identities(SETTINGS.hashing_keys, "US").claim("phone", PHONE["value"])
    request = MergeRequest(UUID(survivor), UUID(merged), "duplicate", "ann")

    async def merging(transaction: Transaction) -> None:
        await merge_members(transaction, request, SETTINGS.keys, REASONS)

    async def linking(transaction: Transaction) -> None:
        await link_identifier(transaction, UUID(merged), claim, "ann", SETTINGS.keys)

    if is_merge_first:
        with pytest.raises(MemberMergedError):
            await interleave(database, merging, linking)
    else:
        await interleave_again(database, linking, merging)
        assert len((await read(client, survivor))["identifiers"]) == 2
    async with database.transaction() as transaction:
        assert (
            await transaction.raw.fetchval("select count(*) from identifiers where member_id = $1", UUID(merged)) == 0
        )


async def interleave_again(database: Database, first: Any, second: Any) -> None:
    """The second as the edge does it: it may start again."""

    async def retried(_: Transaction) -> None:
        await database.run(second)

    await interleave(database, first, retried)


async def _email_of(client: httpx2.AsyncClient, member_id: str) -> str:
    return str((await read(client, member_id))["email"])


async def test_erasing_the_survivor_erases_what_came_from_the_other_one(
    client: httpx2.AsyncClient, database: Database
) -> None:
    survivor, merged = await enrol_somebody(client, PHONE), await enrol_somebody(client, CARD)
    code = await client.post(f"/v1/members/{merged}/referral-code", headers=bearing())
    await enrol_somebody(client, referral_code=code.json()["referral_code"])
    check = {"field": "email", "outcome": "verified", "source": "mail"}
    checked = await client.post(f"/v1/members/{merged}/field-checks", json=check, headers=bearing())
    assert (code.status_code, checked.status_code) == (200, 201), checked.text
    await merge(client, survivor, merged)
    reason = {"reason_code": "data_subject_request"}

    refused = await client.post(f"/v1/members/{merged}/erase", json=reason, headers=bearing())
    assert problem(refused) == (409, "member-merged")
    erased = await client.post(f"/v1/members/{survivor}/erase", json=reason, headers=bearing())
    assert erased.status_code == 200, erased.text

    events = [row.event for row in await recorded_events(database, MEMBERS) if isinstance(row.event, MemberErased)]
    told = {str(event.data.member_id): (event.data.version, len(event.data.identifier_hashes)) for event in events}
    assert told == {survivor: (3, 2), merged: (3, 2)}  # under both ids, under which links may still be on their way
    body = {"after": None, "members_max": 10}
    await client.post("/v1/members:republish", json=body, headers=bearing("members:republish"))
    events = [row.event for row in await recorded_events(database, MEMBERS) if isinstance(row.event, MemberErased)]
    assert sorted((str(event.data.member_id), event.data.version) for event in events[2:]) == sorted(
        (member_id, version) for member_id, (version, _) in told.items()
    )
    async with database.transaction() as transaction:
        left = "select count(*) from identifiers join members using (member_id) where status in ('merged', 'erased')"
        assert await transaction.raw.fetchval(left) == 0
        for table in ("referral_codes", "referrals", "field_checks"):
            assert await transaction.raw.fetchval(f"select count(*) from {table}") == 0, table
        named = "select count(*) from idempotency where convert_from(body, 'UTF8') like $1"
        assert await transaction.raw.fetchval(named, f'%"member_id":"{merged}"%') == 0
        left = """
            select count(*) from members where status in ('merged', 'erased')
                and (language, region, birth_month) is distinct from ('und', null, null)
        """
        assert await transaction.raw.fetchval(left) == 0
    assert (await client.get(f"/v1/members/{merged}", headers=bearing())).status_code == 404
