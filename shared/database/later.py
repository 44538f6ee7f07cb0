"""Writes that wait for the end of their transaction, and go out as one statement: a round trip instead of several.

For the few paths where each round trip counts. What was put off is not there yet: whoever reads it in the same
transaction does not see it.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from shared.database.lending import RawConnection

SHAPES_MAX = 256  # of statements that are kept composed: a handful a process

_PARAMETER = re.compile(r"\$(\d+)")


class Write(NamedTuple):
    """A statement that inserts, updates or deletes, with ``$1`` and so on for its own arguments.

    ``beside`` are data-modifying common table expressions of the same arguments, each ``name as (…)``, which belong to
    it. Names must not be met twice in one transaction, but for those of the same write.
    """

    statement: str
    arguments: Sequence[object]
    beside: tuple[str, ...] = ()


async def write_together(connection: RawConnection, writes: Sequence[Write]) -> None:
    """Write all of these by one statement. All see the database as before it, and so must not depend on each other;
    constraints are checked when all is written.
    """
    if not writes:
        return
    composed = _composed(tuple([(write.statement, write.beside, len(write.arguments)) for write in writes]))
    await connection.execute(composed, *[argument for write in writes for argument in write.arguments])


def dense(*statements: str) -> tuple[list[str], tuple[int, ...]]:
    """Statements that use some of many parameters, with those alone, counted from 1; and which they were."""
    used = sorted({int(number) for statement in statements for number in _PARAMETER.findall(statement)})
    places = {number: place for place, number in enumerate(used, 1)}
    return [_PARAMETER.sub(lambda found: f"${places[int(found[1])]}", one) for one in statements], tuple(used)


@lru_cache(maxsize=SHAPES_MAX)
def _composed(shapes: tuple[tuple[str, tuple[str, ...], int], ...]) -> str:
    parts: list[str] = []
    counted = 0
    for number, (statement, beside, arguments) in enumerate(shapes, 1):
        parts += [_moved(one, counted) for one in beside]
        last = _moved(statement, counted)
        parts.append(last if number == len(shapes) else f"later_{number} as ({last})")
        counted += arguments
    *before, last = parts
    return f"with {', '.join(before)} {last}" if before else last


def _moved(statement: str, by: int) -> str:
    return _PARAMETER.sub(lambda found: f"${int(found[1]) + by}", statement) if by else statement
