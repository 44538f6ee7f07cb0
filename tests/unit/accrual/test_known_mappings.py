"""What a process knows of partners' mappings while several requests read on at once."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from services.accrual.domain.category_mapping import MappingVersion
from services.accrual.programme import KnownMappings
from services.accrual.repository import category_mappings

SINCE = datetime(2026, 3, 1, tzinfo=UTC)
TRANSACTION: Any = None


def version(number: int) -> MappingVersion:
    return MappingVersion(number, "OBST", ("produce",), SINCE)


async def test_who_read_less_meanwhile_takes_nothing_back_from_who_read_more(monkeypatch: pytest.MonkeyPatch) -> None:
    committed = [version(1)]
    slow_has_read, slow_goes_on = asyncio.Event(), asyncio.Event()

    async def load_newer(_: object, known: Mapping[str, int]) -> dict[str, list[MappingVersion]]:
        read = [one for one in committed if one.version > known["grocer"]]
        if not slow_has_read.is_set():
            slow_has_read.set()
            await slow_goes_on.wait()
        return {"grocer": read}

    monkeypatch.setattr(category_mappings, "load_newer", load_newer)
    mappings = KnownMappings()
    slow = asyncio.create_task(mappings.refresh(TRANSACTION, ["grocer"]))
    await slow_has_read.wait()
    committed.append(version(2))
    quick = await mappings.refresh(TRANSACTION, ["grocer"])
    slow_goes_on.set()

    seen_by_slow = await slow

    assert quick["grocer"].version == 2  # as it was given out
    assert seen_by_slow["grocer"].version == 2
    assert (await mappings.refresh(TRANSACTION, ["grocer"]))["grocer"].version == 2
