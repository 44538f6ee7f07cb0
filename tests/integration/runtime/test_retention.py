"""What is kept for a time, and let go after it."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import asyncpg
import httpx2
import pytest

from services.accrual.repository.retention import (
    AWARD_EVENTS,
    DOCUMENTS,
    MEETING_ROWS,
    REFUSED_DOCUMENTS,
    TIER_DAYS,
    parked_with_hash,
)
from services.fraud.repository.retention import NOTES_OF_CLOSED_CASES
from services.members.repository.retention import EXPIRED_INVITATIONS
from services.notifications.repository.retention import SETTLED_MESSAGES
from services.redemption.repository.retention import HASHES_OF_WAITING_TENDERS
from shared.database import Database
from shared.kafka.settings import KafkaSettings
from shared.runtime.retention import ROWS_PER_PAGE_MAX, SETTLED_DEAD_LETTERS, DataClass, Retention, load_rules
from tests.support.databases import FreshDatabase
from tests.support.small_service import SERVICE, SmallService, settings_for

# One row that is too old by a day, one that is young enough by a day, one that has no age yet; $1 is the age in days.
ROWS = {
    SETTLED_DEAD_LETTERS: (
        "fraud",
        """
        insert into fraud.dead_letters (topic, topic_partition, topic_offset, header_names, header_values, cause,
            detail, fate, died_at, settled_at)
        select 'loyalty.members', 0, days, '{}', '{}', 'schema', '',
            case when days = 0 then 'pending' else 'replayed' end, now(),
            case when days > 0 then now() - make_interval(days => days) end
        from unnest($1::int[]) as days
        """,
        "select count(*) from fraud.dead_letters",
    ),
    SETTLED_MESSAGES: (
        "notifications",
        """
        with message as (
            insert into notifications.messages (message_id, member_id, template, template_version, channel, state,
                opened_at, due_at, settled_at, next_attempt_at, attempts, deferrals)
            select gen_random_uuid(), gen_random_uuid(), 'digest', 1, 'email',
                case when days = 0 then 'queued' else 'sent' end, now(), now(),
                case when days > 0 then now() - make_interval(days => days) end,
                case when days = 0 then now() end, 1, 0
            from unnest($1::int[]) as days
            returning message_id
        )
        insert into notifications.digest_entries
            (receipt_key, message_id, partner_id, points, debt_cleared, occurred_at)
        select message_id::text::bytea, message_id, 'grocer', 1, 0, now() from message
        """,
        "select count(*) from notifications.messages join notifications.digest_entries using (message_id)",
    ),
    NOTES_OF_CLOSED_CASES: (
        "fraud",
        """
        insert into fraud.cases (case_id, opened_by, member_id, operator_hash, partner_id, rule_code, state, outcome,
            version, receipts, opened_at, closed_at, closed_by, note)
        select gen_random_uuid(), days::text::bytea, gen_random_uuid(), '1.x', 'grocer', 'INS_SWIPE',
            case when days = 0 then 'open' else 'closed' end, case when days > 0 then 'confirmed' end, 1, 3, now(),
            case when days > 0 then now() - make_interval(days => days) end, case when days > 0 then 'analyst' end,
            'what was found'
        from unnest($1::int[]) as days
        """,
        "select count(note) from fraud.cases",
    ),
    DOCUMENTS: (
        "accrual",
        """
        insert into accrual.documents (natural_key, decided_at, event)
        select days::text::bytea, now() - make_interval(days => days), 'x' from unnest($1::int[]) as days
        """,
        "select count(*) from accrual.documents",
    ),
    REFUSED_DOCUMENTS: (
        "accrual",
        """
        insert into accrual.refusals (natural_key, content_hash, reason, detail, event, refused_at)
        select days::text::bytea, 'h', 'training', '', 'x', now() - make_interval(days => days)
        from unnest($1::int[]) as days
        """,
        "select count(event) from accrual.refusals",
    ),
    MEETING_ROWS: (
        "accrual",
        """
        insert into accrual.meeting_rows (key, laid_at)
        select 'i:' || days, now() - make_interval(days => days) from unnest($1::int[]) as days
        """,
        "select count(*) from accrual.meeting_rows",
    ),
    TIER_DAYS: (
        "accrual",
        """
        insert into accrual.tier_days (member_id, day, points, spend_minor, visits)
        select gen_random_uuid(), (now() - make_interval(days => days))::date, 1, 1, 1 from unnest($1::int[]) as days
        """,
        "select count(*) from accrual.tier_days",
    ),
    AWARD_EVENTS: (
        "accrual",
        """
        with named as (
            insert into accrual.claims (natural_key, state)
            select days::text::bytea, 'parked' from unnest($1::int[]) as days
            returning convert_from(natural_key, 'UTF8')::int as days
        )
        insert into accrual.award_events (natural_key, event, told_by, told_at)
        select days::text::bytea, event, 'shop', now() - make_interval(days => days)
        from named cross join unnest('{delivered,paid}'::text[]) as event
        """,
        """
        select count(*) from accrual.claims full join accrual.award_events using (natural_key)
        where event is distinct from 'paid'
        """,
    ),
    parked_with_hash(30): (
        "accrual",
        """
        insert into accrual.parked (natural_key, reason, waits_for, identifier_hash, event, parked_at)
        select days::text::bytea, 'unknown_identifier', 'i:1.x', case when days > 0 then '1.x' end, 'x',
            now() - make_interval(days => case when days > 0 then days else 4000 end)
        from unnest($1::int[]) as days
        """,
        "select count(*) from accrual.parked",
    ),
    EXPIRED_INVITATIONS: (
        "members",
        """
        with founded as (
            insert into members.households (household_id, version) values (gen_random_uuid(), 1) returning household_id
        ), enrolled as (
            insert into members.members (member_id, status, language, version, enrolled_by, enrolled_at)
            select gen_random_uuid(), 'active', 'en', 1, 'test', now() from unnest($1::int[])
            returning member_id
        ), numbered as (
            select member_id, row_number() over () as place from enrolled
        )
        insert into members.household_invitations (household_id, member_id, invited_by, token_sha256, contributes,
            may_spend, expires_at)
        select household_id, member_id, member_id, sha256(member_id::text::bytea), true, true,
            now() - make_interval(days => ($1::int[])[place])
        from founded, numbered
        """,
        "select count(*) from members.household_invitations",
    ),
    HASHES_OF_WAITING_TENDERS: (
        "redemption",
        """
        insert into redemption.redemption_waiting_tenders (receipt_key, redemption_id, content_hash, partner_id,
            identifier_hash, points, waiting_since)
        select days::text::bytea, gen_random_uuid(), 'h', 'grocer', '1.x', 1, now() - make_interval(days => days)
        from unnest($1::int[]) as days
        """,
        "select count(identifier_hash) from redemption.redemption_waiting_tenders",
    ),
}


@pytest.fixture
async def admin(fresh_database: FreshDatabase) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(fresh_database.admin_url)
    yield connection
    await connection.close()


@pytest.mark.parametrize("data_class", list(ROWS), ids=lambda one: one.name)
async def test_what_is_older_goes_and_nothing_else(
    data_class: DataClass, database_of: Callable[[str], Database], admin: asyncpg.Connection
) -> None:
    service, insert, count = ROWS[data_class]
    days = data_class.keep_days
    await admin.execute(insert, [days + 1, days - 1, 0])
    retention = Retention(database_of(service), [data_class])
    await retention.declare()

    await retention.run()
    assert await admin.fetchval(count) == 2
    await retention.run()
    assert await admin.fetchval(count) == 2


async def test_the_claim_of_a_receipt_that_came_outlives_what_was_told_of_it(
    database_of: Callable[[str], Database], admin: asyncpg.Connection
) -> None:
    """Only what nothing but the telling has laid down goes with it."""
    _, insert, _ = ROWS[AWARD_EVENTS]
    await admin.execute(insert, [500, 501, 502, 1])
    await admin.execute(
        "update accrual.claims set content_hash = sha256(''), state = 'awarded' where natural_key = '500'"
    )
    await admin.execute("update accrual.claims set content_hash = sha256('') where natural_key = '501'")
    retention = Retention(database_of("accrual"), [AWARD_EVENTS])
    await retention.declare()

    await retention.run()

    assert await admin.fetchval("select count(*) from accrual.award_events where natural_key <> '1'") == 0
    left = await admin.fetch("select convert_from(natural_key, 'UTF8') as name from accrual.claims order by 1")
    assert [row["name"] for row in left] == ["1", "500", "501"]


async def test_many_rows_go_page_by_page(database_of: Callable[[str], Database], admin: asyncpg.Connection) -> None:
    _, insert, count = ROWS[SETTLED_DEAD_LETTERS]
    await admin.execute(insert, [1_000 + number for number in range(2 * ROWS_PER_PAGE_MAX + 1)])
    retention = Retention(database_of("fraud"), [SETTLED_DEAD_LETTERS])
    await retention.declare()
    await retention.run()
    assert await admin.fetchval(count) == 0


async def test_the_table_has_the_last_word_except_below_what_exactness_needs(
    database_of: Callable[[str], Database], admin: asyncpg.Connection
) -> None:
    database = database_of("notifications")
    await Retention(database, [SETTLED_MESSAGES]).declare()
    await admin.execute("update notifications.retention set keep_days = 120 where data_class = 'settled_messages'")
    await Retention(database, [replace(SETTLED_MESSAGES, purpose="another")]).declare()
    async with database.transaction() as transaction:
        kept = {rule.data_class: (rule.purpose, rule.keep_days) for rule in await load_rules(transaction)}
    assert kept["settled_messages"] == ("another", 120)
    with pytest.raises(asyncpg.CheckViolationError):
        await admin.execute("update notifications.retention set keep_days = 99 where data_class = 'settled_messages'")


@pytest.fixture
def service(fresh_database: FreshDatabase, kafka_settings: KafkaSettings) -> SmallService:
    return SmallService(settings_for(fresh_database.url(f"tessera_{SERVICE}"), kafka_settings))


async def test_the_programme_reads_and_sets_it_over_http(service: SmallService) -> None:
    async with service.running("api") as running:

        async def call(method: str, path: str, body: dict[str, int] | None = None, **claims: str) -> httpx2.Response:
            token = service.issuer.token("retention:read retention:write", **claims)
            async with httpx2.AsyncClient(trust_env=False, headers={"Authorization": f"Bearer {token}"}) as client:
                return await client.request(method, running.url + path, json=body)

        [rule] = (await call("GET", "/v1/retention")).json()["rules"]
        assert (rule["data_class"], rule["keep_days"], rule["changed_by"]) == ("settled_dead_letters", 90, None)
        letters = "/v1/retention/settled_dead_letters"
        for _ in range(2):
            changed = (await call("PUT", letters, {"keep_days": 30})).json()
            assert (changed["keep_days"], changed["changed_by"]) == (30, "client-1")
        refused = await call("PUT", letters, {"keep_days": 0})
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/keep_days")
        assert (await call("PUT", "/v1/retention/nothing", {"keep_days": 30})).status_code == 404
        assert (await call("GET", "/v1/retention", partner_id="acme")).status_code == 403


async def test_who_changed_it_from_what_and_why_is_kept_for_ever(
    service: SmallService, database_of: Callable[[str], Database]
) -> None:
    async with service.running("api") as running:
        token = service.issuer.token("retention:read retention:write")
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx2.AsyncClient(base_url=running.url, trust_env=False, headers=headers) as client:
            letters = "/v1/retention/settled_dead_letters"
            for body in ({"keep_days": 30, "why": "audit 7"}, {"keep_days": 30}, {"keep_days": 60}):
                assert (await client.put(letters, json=body)).status_code == 200
            [rule] = (await client.get("/v1/retention")).json()["rules"]
    told = [
        (change["author"], change["before_days"], change["after_days"], change["why"]) for change in rule["changes"]
    ]
    assert told == [("client-1", 30, 60, None), ("client-1", 90, 30, "audit 7")]  # the same again is no change
    for statement in ("update retention_changes set author = 'nobody'", "delete from retention_changes"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with database_of(SERVICE).transaction() as transaction:
                await transaction.raw.execute(statement)


async def test_fewer_days_than_exactness_needs_are_refused_with_the_number(
    service: SmallService, database_of: Callable[[str], Database]
) -> None:
    await Retention(database_of(SERVICE), [SETTLED_MESSAGES]).declare()
    async with service.running("api") as running:
        token = service.issuer.token("retention:write")
        async with httpx2.AsyncClient(trust_env=False, headers={"Authorization": f"Bearer {token}"}) as client:
            refused = await client.put(f"{running.url}/v1/retention/settled_messages", json={"keep_days": 99})
    assert refused.status_code == 422
    assert "100 days" in refused.json()["detail"]
