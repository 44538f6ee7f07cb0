"""Dead letters: kept once, listed, replayed to one service alone, discarded, erased; and the command for it."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from cli.main import app
from shared.database import Database
from shared.kafka import ConsumerLimits, DeadLetter, EventProducer, KafkaSettings
from shared.runtime import dead_letters
from shared.runtime.dead_letters import LetterPosition
from shared.runtime.replay import replay
from tests.support.consuming import TOPIC, Remembering, new_consumer, outgoing, read_all, running, send
from tests.support.databases import FreshDatabase
from tests.support.small_service import SERVICE
from tests.support.until import until

LETTER: DeadLetter[Any] = DeadLetter(
    topic=TOPIC,
    partition=3,
    offset=7,
    key=b"key-1",
    body=b"\x00\xff garbage",
    headers={"type": b"loyalty.points.earned.v1", "id": b"e-1", "odd": b"\x00\x01"},
    cause="rejected",
    detail="PermanentError: no\x00 such lot",
    event=None,
)


@pytest.fixture
def database(database_of: Callable[[str], Database]) -> Database:
    return database_of(SERVICE)


async def keep(database: Database, *letters: DeadLetter[Any]) -> None:
    async with database.transaction() as transaction:
        for letter in letters:
            await dead_letters.save(transaction, letter)


async def find(database: Database, position: LetterPosition) -> dead_letters.SavedLetter:
    async with database.transaction() as transaction:
        found = await dead_letters.find_letter(transaction, position)
    assert found is not None
    return found


async def test_a_letter_is_kept_once_to_the_byte(database: Database) -> None:
    await keep(database, LETTER, replace(LETTER, cause="later", body=b"other"))
    await keep(database, LETTER, replace(LETTER, offset=8, key=None, headers={}))

    async with database.transaction() as transaction:
        letters = await dead_letters.list_letters(transaction)
        of_another_topic = await dead_letters.list_letters(transaction, topic="loyalty.members")
        first_only = await dead_letters.list_letters(transaction, rows_max=1)
    assert [str(letter.position) for letter in letters] == [f"{TOPIC}/3/7", f"{TOPIC}/3/8"]
    assert (of_another_topic, first_only) == ([], letters[:1])
    kept, bare = letters
    assert (kept.key, kept.body, dict(kept.headers)) == (LETTER.key, LETTER.body, LETTER.headers)
    assert (kept.event_type, kept.event_id, kept.cause) == ("loyalty.points.earned.v1", "e-1", "rejected")
    assert (kept.detail, kept.fate, kept.settled_at) == ("PermanentError: no such lot", "pending", None)
    assert (bare.key, bare.headers, bare.event_type) == (None, (), None)


async def test_a_letter_is_told_in_the_log_under_its_event_and_trace(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    trace = b"00-" + b"c" * 32 + b"-" + b"d" * 16 + b"-01"
    await keep(database, replace(LETTER, headers={**LETTER.headers, "traceparent": trace}))

    (line,) = (
        found for found in map(json.loads, capsys.readouterr().out.splitlines()) if found["event"] == "dead letter"
    )
    assert (line["event_id"], line["trace_id"], line["offset"]) == ("e-1", "c" * 32, 7)
    assert "body" not in line


async def test_a_letter_is_settled_once(database: Database) -> None:
    await keep(database, LETTER)
    position = LetterPosition(TOPIC, 3, 7)

    async with database.transaction() as transaction:
        settled = [
            await dead_letters.settle(transaction, position, "discarded"),
            await dead_letters.settle(transaction, position, "replayed"),
            await dead_letters.settle(transaction, LetterPosition(TOPIC, 3, 99), "discarded"),
        ]

    assert settled == [True, False, False]
    assert (await find(database, position)).fate == "discarded"


async def test_an_erased_members_letters_are_blank(database: Database) -> None:
    member = str(uuid4())
    others = replace(LETTER, offset=8, key=b"somebody else")
    await keep(database, replace(LETTER, key=member.encode()), replace(LETTER, offset=9, key=b"1.hash"), others)

    for _ in range(2):  # an event that comes twice
        async with database.transaction() as transaction:
            await dead_letters.erase(transaction, [member, "1.hash"])

    for offset in (7, 9):
        erased = await find(database, LetterPosition(TOPIC, 3, offset))
        assert (erased.fate, erased.key, erased.body, erased.headers, erased.detail) == ("erased", None, None, (), "")
    assert (await find(database, LetterPosition(TOPIC, 3, 8))).body == LETTER.body


async def test_a_replayed_letter_comes_back_to_its_service_alone(
    database: Database, kafka_settings: KafkaSettings
) -> None:
    """The cause is mended between the two: what died before is handled now, once."""
    handler = _Keeping(database)
    await send(kafka_settings, [outgoing(number) for number in range(5)])
    producer = EventProducer(kafka_settings)
    async with running(new_consumer(kafka_settings, handler, limits=ConsumerLimits())):
        await until(lambda: len(handler.taken) == 4 and len(handler.letters) == 1)
        position = LetterPosition(TOPIC, handler.letters[0].partition, handler.letters[0].offset)

        handler.poison = frozenset()
        nowhere = LetterPosition(TOPIC, 0, 10_000)
        assert await replay(database, producer, SERVICE, [position, nowhere]) == [position]
        assert await replay(database, producer, SERVICE, [position]) == []
        await until(lambda: len(handler.taken) == 5)
    await producer.stop()

    assert sorted(handler.taken) == [0, 1, 2, 3, 4]
    (again,) = await read_all(kafka_settings, f"{TOPIC}.{SERVICE}.retry")
    kept = await find(database, position)
    assert (again.key, again.value, tuple(again.headers)) == (kept.key, kept.body, kept.headers)
    assert kept.fate == "replayed"
    assert len(await read_all(kafka_settings, TOPIC)) == 5


async def test_a_letter_that_dies_again_is_a_letter_of_its_own(
    database: Database, kafka_settings: KafkaSettings
) -> None:
    handler = _Keeping(database)
    await send(kafka_settings, [outgoing(3)])
    producer = EventProducer(kafka_settings)
    async with running(new_consumer(kafka_settings, handler, limits=ConsumerLimits())):
        for count in (1, 2, 3):
            await until(lambda count=count: len(handler.letters) == count)  # type: ignore[misc]  # bound per turn
            letter = handler.letters[-1]
            position = LetterPosition(letter.topic, letter.partition, letter.offset)
            assert await replay(database, producer, SERVICE, [position]) == [position]
    await producer.stop()

    assert [letter.topic for letter in handler.letters[:3]] == [TOPIC, *[f"{TOPIC}.{SERVICE}.retry"] * 2]


class _Keeping(Remembering):
    """Refuses 3, and keeps its letters as every service does."""

    def __init__(self, database: Database) -> None:
        super().__init__(poison=frozenset({3}))
        self._database = database

    async def dead_lettered(self, letter: DeadLetter[Any]) -> None:
        await keep(self._database, letter)
        await super().dead_lettered(letter)


class Tessera:
    """The command, as an operator of this service runs it; in a thread, since it brings its own event loop."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment

    async def run(self, *arguments: str) -> tuple[int, str, str]:
        result = await asyncio.to_thread(
            CliRunner().invoke, app, ["dead-letters", *arguments], env=self.environment, terminal_width=200
        )
        return result.exit_code, result.stdout, result.stderr

    async def data(self, *arguments: str) -> Any:
        code, out, err = await self.run(*arguments, "--json")
        assert (code, err) == (0, "")
        # In this process the logs go to the same place (a new topic is not known everywhere yet); the answer is last.
        return json.loads(out.splitlines()[-1])


@pytest.fixture
def tessera(fresh_database: FreshDatabase, kafka_settings: KafkaSettings) -> Tessera:
    return Tessera(
        {
            "COLUMNS": "200",
            "TESSERA_DATABASE_URL": fresh_database.url(f"tessera_{SERVICE}"),
            "TESSERA_KAFKA_BOOTSTRAP_SERVERS": kafka_settings.bootstrap_servers,
            "TESSERA_TOPIC_PREFIX": kafka_settings.topic_prefix,
        }
    )


async def test_the_command_lists_shows_replays_and_discards(
    tessera: Tessera, database: Database, kafka_settings: KafkaSettings
) -> None:
    good = outgoing(1)
    await keep(database, LETTER, replace(LETTER, offset=8, body=good.body), replace(LETTER, offset=9))
    first, second, third = (f"{TOPIC}/3/{offset}" for offset in (7, 8, 9))

    assert [letter["letter"] for letter in await tessera.data("list", SERVICE)] == [first, second, third]
    code, table, _ = await tessera.run("list", SERVICE)
    assert code == 0
    assert first in table
    assert (await tessera.data("show", SERVICE, second))["body"] == good.body.decode()
    assert (await tessera.data("show", SERVICE, first))["body"] == LETTER.body.hex()
    code, page, _ = await tessera.run("show", SERVICE, first)
    assert code == 0
    assert "PermanentError: no such lot" in page

    assert await tessera.data("discard", SERVICE, third) == {"discarded": [third], "left": []}
    assert await tessera.data("replay", SERVICE, second) == {"replayed": [second], "left": []}
    assert await tessera.data("replay", SERVICE, "--all") == {"replayed": [first], "left": []}

    assert [record.value for record in await read_all(kafka_settings, f"{TOPIC}.{SERVICE}.retry")] == [
        good.body,
        LETTER.body,
    ]
    fates = {letter["letter"]: letter["fate"] for letter in await tessera.data("list", SERVICE, "--fate", "any")}
    assert fates == {first: "replayed", second: "replayed", third: "discarded"}
    code, out, _ = await tessera.run("replay", SERVICE, first, "--json")
    assert (code, json.loads(out)) == (1, {"replayed": [], "left": [first]})


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("list", "nobody"), "There is no service 'nobody'"),
        (("list", SERVICE, "--fate", "lost"), "is no fate"),
        (("show", SERVICE, "x"), "write TOPIC/PARTITION/OFFSET"),
        (("show", SERVICE, f"{TOPIC}/0/0"), "has no letter"),
        (("replay", SERVICE), "Name the letters"),
    ],
)
async def test_what_the_command_cannot_do_it_says(tessera: Tessera, arguments: tuple[str, ...], told: str) -> None:
    code, out, err = await tessera.run(*arguments)

    assert (code, out) == (1, "")
    assert told in err
    assert "Traceback" not in err


async def test_a_database_that_is_away_is_said_in_words(tessera: Tessera) -> None:
    tessera.environment["TESSERA_DATABASE_URL"] = f"postgresql://tessera_{SERVICE}:x@127.0.0.1:1/tessera"

    code, _, err = await tessera.run("list", SERVICE)

    assert code == 1
    assert "The database does not answer" in err
    assert "Traceback" not in err
