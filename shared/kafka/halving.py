"""Finding the record that spoils a batch: halve until it is alone."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


async def handle_by_halves(
    records: Sequence[T],
    handle: Callable[[Sequence[T]], Awaitable[None]],
    is_permanent: Callable[[Exception], bool],
    rejected_in_a_row_max: int,
) -> dict[int, Exception]:
    """Hand over all records, or after a permanent failure both halves, and so on: each call is its own transaction.

    Records are taken in their order. Returns what was rejected alone, by its place in ``records``. After more than
    ``rejected_in_a_row_max`` of those it gives up: the rest is left untried, and the caller has to stop. A failure that
    is not permanent is raised at once; what was handled before it comes again.
    """
    rejected: dict[int, Exception] = {}
    in_a_row = 0
    parts = [(0, len(records))]  # a stack: the earlier half lies on top
    while parts and in_a_row <= rejected_in_a_row_max:
        start, end = parts.pop()
        try:
            await handle(records[start:end])
            in_a_row = 0
        except Exception as error:
            if not is_permanent(error):
                raise
            if end - start == 1:
                rejected[start] = error
                in_a_row += 1
            else:
                middle = (start + end) // 2
                parts += [(middle, end), (start, middle)]
    return rejected
