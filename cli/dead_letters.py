"""``tessera dead-letters``: what a service could not handle, why, and sending it again."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeAlias, TypeVar
from urllib.parse import urlsplit

import asyncpg
import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy.exc import SQLAlchemyError

from cli.errors import CommandError
from deploy.local.config import DATABASE_URL_VARIABLE, KAFKA_VARIABLE, StackConfig
from deploy.local.services import database_url_of, kafka_settings_of, local_admin_url
from deploy.local.stack_secrets import load_secrets
from shared.database import Database
from shared.database.roles import SERVICES, role_name
from shared.kafka import EventProducer, KafkaSettings, ProducerUnavailableError
from shared.runtime.dead_letters import (
    LIST_ROWS_MAX,
    Fate,
    LetterPosition,
    SavedLetter,
    find_letter,
    list_letters,
    settle,
)
from shared.runtime.replay import replay

BODY_SHOWN_BYTES_MAX = 20_000
T = TypeVar("T")

app = typer.Typer(
    no_args_is_help=True,
    help="What services could not handle: look, mend the cause, send again. A letter is named TOPIC/PARTITION/OFFSET.",
)

Service: TypeAlias = Annotated[str, typer.Argument(help=f"One of {', '.join(SERVICES)}.")]
Letters: TypeAlias = Annotated[list[str] | None, typer.Argument(help="Letters as list prints them.")]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="The same as JSON.")]


@app.command("list")
def list_(
    service: Service,
    fate: Annotated[str, typer.Option(help="pending, replayed, discarded, erased or any.")] = "pending",
    topic: Annotated[str | None, typer.Option(help="Only of this topic.")] = None,
    as_json: AsJson = False,
) -> None:
    """Letters of a service, oldest first."""
    wanted = _fate(fate)

    async def work(database: Database) -> list[SavedLetter]:
        async with database.transaction() as transaction:
            return await list_letters(transaction, fate=wanted, topic=topic)

    letters = _with_database(service, work)
    if as_json:
        typer.echo(json.dumps([_as_data(letter) for letter in letters]))
        return
    table = Table("letter", "type", "cause", "died", "fate", show_edge=False, pad_edge=False)
    for letter in letters:
        died_at = letter.died_at.isoformat(timespec="seconds")
        table.add_row(str(letter.position), letter.event_type or "-", letter.cause, died_at, letter.fate)
    console = Console()
    console.print(table)
    more = " (there may be more)" if len(letters) == LIST_ROWS_MAX else ""
    console.print(f"{len(letters)} letters{more}. tessera dead-letters show {service} LETTER tells why.", style="dim")


@app.command()
def show(service: Service, letter: Annotated[str, typer.Argument()], as_json: AsJson = False) -> None:
    """One letter whole: why it died, its headers, its body."""
    position = _position(letter)

    async def work(database: Database) -> SavedLetter | None:
        async with database.transaction() as transaction:
            return await find_letter(transaction, position)

    found = _with_database(service, work)
    if found is None:
        raise CommandError(f"{service} has no letter {position}: see tessera dead-letters list {service} --fate any.")
    if as_json:
        typer.echo(json.dumps(_as_data(found) | {"headers": _headers(found), "body": _text(found.body)}))
        return
    for name, value in (_as_data(found) | _headers(found)).items():
        typer.echo(f"{name:>12}  {value if value is not None else '-'}")
    typer.echo("")
    typer.echo(_text(found.body) or "(blank: its member was erased)")


@app.command("replay")
def replay_letters(
    service: Service,
    letters: Letters = None,
    is_all: Annotated[bool, typer.Option("--all", help=f"The oldest {LIST_ROWS_MAX} that are pending.")] = False,
    as_json: AsJson = False,
) -> None:
    """Send pending letters again, through the retry topic that this service alone reads. Safe to repeat."""
    named = _named(letters, is_all=is_all)

    async def work(database: Database) -> list[LetterPosition]:
        positions = named if named is not None else await _all_pending(database)
        producer = EventProducer(_kafka())
        try:
            return await replay(database, producer, service, positions)
        finally:
            await producer.stop()

    _report("replayed", _with_database(service, work), named, as_json=as_json)


@app.command("discard")
def discard_letters(service: Service, letters: Letters = None, as_json: AsJson = False) -> None:
    """Settle pending letters without sending them again: somebody looked, and nothing is owed."""
    named = _named(letters, is_all=False) or []

    async def work(database: Database) -> list[LetterPosition]:
        async with database.transaction() as transaction:
            return [position for position in named if await settle(transaction, position, "discarded")]

    _report("discarded", _with_database(service, work), named, as_json=as_json)


def _with_database(service: str, work: Callable[[Database], Awaitable[T]]) -> T:
    """``work`` as the service's own role, with its errors in words."""
    if service not in SERVICES:
        raise CommandError(f"There is no service {service!r}: it is one of {', '.join(SERVICES)}.")

    async def run() -> T:
        database = Database(_database_url(service), connections_max=1)
        try:
            return await work(database)
        finally:
            await database.close()

    try:
        return asyncio.run(run())
    except ProducerUnavailableError as error:
        raise CommandError(f"The broker does not answer ({error}); what was not sent stays pending.") from error
    except (SQLAlchemyError, asyncpg.PostgresError, OSError) as error:
        raise CommandError(
            f"The database does not answer as {role_name(service)} ({type(error).__name__}): is the stack up, and the "
            f"database migrated? {DATABASE_URL_VARIABLE} names another one."
        ) from error


def _database_url(service: str) -> str:
    """TESSERA_DATABASE_URL where it names the service's role; else that role with the stack's password."""
    given, role = os.environ.get(DATABASE_URL_VARIABLE), role_name(service)
    if given and urlsplit(given).username == role:
        return given
    config = StackConfig.from_environment()
    secrets = load_secrets(config.secrets_file)
    return database_url_of(given or local_admin_url(config, secrets), secrets, role)


def _kafka() -> KafkaSettings:
    config = StackConfig.from_environment()
    return kafka_settings_of(config, os.environ.get(KAFKA_VARIABLE) or f"127.0.0.1:{config.ports.kafka}")


async def _all_pending(database: Database) -> list[LetterPosition]:
    async with database.transaction() as transaction:
        return [letter.position for letter in await list_letters(transaction)]


def _report(done: str, settled: list[LetterPosition], named: list[LetterPosition] | None, *, as_json: bool) -> None:
    left = [position for position in named or () if position not in settled]
    if as_json:
        typer.echo(json.dumps({done: [str(each) for each in settled], "left": [str(each) for each in left]}))
    else:
        typer.echo(f"{len(settled)} {done}.")
        for position in left:
            typer.echo(f"{position}: not pending, left as it is.")
    if left:
        raise typer.Exit(1)


def _named(letters: list[str] | None, *, is_all: bool) -> list[LetterPosition] | None:
    """The letters that were named; None for all."""
    if bool(letters) == is_all:
        raise CommandError("Name the letters, as list prints them; replay also takes --all instead.")
    return None if is_all else [_position(letter) for letter in letters or ()]


def _position(text: str) -> LetterPosition:
    try:
        return LetterPosition.parse(text)
    except ValueError as error:
        raise CommandError(f"{text!r} names no letter: write TOPIC/PARTITION/OFFSET.") from error


def _fate(text: str) -> Fate | None:
    match text:
        case "pending" | "replayed" | "discarded" | "erased":
            return text
        case "any":
            return None
        case _:
            raise CommandError(f"{text!r} is no fate: pending, replayed, discarded, erased or any.")


def _as_data(letter: SavedLetter) -> dict[str, Any]:
    return {
        "letter": str(letter.position),
        "event_type": letter.event_type,
        "event_id": letter.event_id,
        "key": _text(letter.key),
        "cause": letter.cause,
        "detail": letter.detail,
        "died_at": letter.died_at.isoformat(),
        "fate": letter.fate,
        "settled_at": letter.settled_at.isoformat() if letter.settled_at is not None else None,
    }


def _headers(letter: SavedLetter) -> dict[str, str | None]:
    return {name: _text(value) for name, value in letter.headers}


def _text(value: bytes | None) -> str | None:
    """As text where it is text, else in hex."""
    if value is None:
        return None
    shown = value[:BODY_SHOWN_BYTES_MAX]
    try:
        return shown.decode()
    except UnicodeDecodeError:
        return shown.hex()
