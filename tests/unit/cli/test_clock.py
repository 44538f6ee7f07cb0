"""The test clock's command: spans as people write them, and who is not done yet."""

from datetime import UTC, datetime, timedelta

import pytest

from cli.clock import span_of, works_behind
from cli.errors import CommandError

THEN = datetime(2026, 12, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("30d", timedelta(days=30)),
        ("12h", timedelta(hours=12)),
        ("90m", timedelta(minutes=90)),
        ("10s", timedelta(seconds=10)),
    ],
)
def test_a_span_is_a_number_and_a_unit(text: str, span: timedelta) -> None:
    assert span_of(text) == span


@pytest.mark.parametrize("text", ["", "0d", "-1d", "1w", "d", "1.5h", "30"])
def test_nothing_else_is_one_and_time_never_goes_back(text: str) -> None:
    with pytest.raises(CommandError, match="no span of time ahead"):
        span_of(text)


def test_a_process_is_waited_for_until_every_work_has_gone_through_the_new_time() -> None:
    page = "\n".join(
        f'tessera_periodic_passed_through_seconds{{work="{work}"}} {(THEN + timedelta(seconds=seconds)).timestamp()}'
        for work, seconds in (("expire points", -1), ("end fraud holds", 0), ("grade tiers", 3), ("retention", -9_000))
    )
    assert works_behind(page + "\n", THEN) == ["expire points"]
