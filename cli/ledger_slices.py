"""``tessera ledger slice`` and ``check-slice``: a partner checks its own rows, without our database."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, TextIO

import asyncpg
import typer

from cli.errors import CommandError
from cli.reading_ledger import read_head, reader_url, reading
from shared.ledger import SliceBrokenError, check_slice, export_slice

EXIT_BROKEN = 2  # 1 means that the slice could not be read


def write_slice(
    partner: Annotated[
        str, typer.Option("--partner", help="The partner's code. An empty one: the programme's own rows.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.", dir_okay=False)],
    from_block: Annotated[int, typer.Option(min=1, help="The first block; those before it are left out.")] = 1,
) -> None:
    """Write a partner's slice of the sealed chain: all rows that name it, with what proves them up to the chain's head.

    A line of JSON a block. No member is named in it. The partner checks it with `tessera ledger check-slice`.
    """
    try:
        with output.open("w", encoding="utf-8") as file:
            head = asyncio.run(_write(reader_url(), partner, from_block, file))
    except (OSError, asyncpg.PostgresError) as error:
        raise CommandError(f"The slice could not be written: {error}") from error
    typer.echo(f"{output}: up to the head {head}")


async def _write(url: str, partner: str, from_block: int, file: TextIO) -> str | None:
    head: str | None = None
    async with reading(url) as connection:
        async for line in export_slice(connection, partner, from_block):
            head = line.get("head", head)
            file.write(json.dumps(line, separators=(",", ":")) + "\n")
    return head


def check_partner_slice(
    file: Annotated[Path, typer.Argument(help="What `tessera ledger slice` wrote.", exists=True, dir_okay=False)],
    head: Annotated[
        list[str] | None, typer.Option("--head", help="NUMBER:HASH that was said of the chain before. May be repeated.")
    ] = None,
) -> None:
    """Check a partner's slice, from each row to the chain's head. Needs the file alone.

    Exit code: 0 when everything follows, 2 when something does not, 1 when the file could not be read.
    """
    try:
        checked = check_slice(_lines(file), [read_head(text).written for text in head or ()])
    except SliceBrokenError as error:
        typer.echo(f"The slice does not prove what it says: {error}.", err=True)
        raise typer.Exit(EXIT_BROKEN) from error
    except (OSError, ValueError) as error:
        raise CommandError(f"{file} could not be read: {error}") from error
    whose = f"{checked.partner_id}'s" if checked.partner_id else "the programme's"
    typer.echo(f"{checked.rows:,} rows of {whose} are as they were sealed, in {checked.blocks:,} blocks. The head:")
    typer.echo(checked.head or "there is no block yet")


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)
