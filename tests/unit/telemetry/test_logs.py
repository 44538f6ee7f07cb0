"""Log lines: one JSON object each, with their context, and without anybody's data."""

import logging
from collections.abc import Callable, Iterator

import asyncpg
import orjson
import pytest
import structlog
from pydantic import BaseModel
from sqlalchemy.exc import IntegrityError

from shared.telemetry.failures import message_of
from shared.telemetry.logs import event_logged
from shared.telemetry.masking import mask, mask_text
from shared.telemetry.trace_context import traced
from tests.support.logged import logged

Lines = Callable[[], list[dict[str, object]]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    with logged(service="accrual", role="worker", level="info") as stream:
        yield lambda: [orjson.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_says_who_and_what_it_belongs_to(lines: Lines) -> None:
    log = structlog.get_logger("x")
    with traced("00-" + "a" * 32 + "-" + "b" * 16 + "-01"), event_logged("e-1"):
        log.info("batch handled", records=500)
        logging.getLogger("some.library").warning("slow: %s s", 3)
    log.debug("not written")

    ours, theirs = lines()
    assert ours["event"] == "batch handled"
    assert (ours["service"], ours["role"], ours["level"]) == ("accrual", "worker", "info")
    assert (ours["trace_id"], ours["event_id"], ours["records"]) == ("a" * 32, "e-1", 500)
    assert str(ours["timestamp"]).endswith("+00:00")
    assert (theirs["event"], theirs["level"], theirs["logger"]) == ("slow: 3 s", "warning", "some.library")
    assert theirs["trace_id"] == "a" * 32


def test_personal_fields_are_masked_at_any_depth(lines: Lines) -> None:
    structlog.get_logger().info(
        "x",
        email="a@b.example",
        phone="+4915112345678",
        first_name="Ada",
        card_number="4000123412341234",
        authorization="Bearer abc",
        client_secret="s",
        member={"name": "Ada", "tier": "gold", "contact": {"city": "Bonn"}},
        values=["a"],
        count=3,
        member_id="019a1b2c-0000-7000-8000-000000000001",
    )

    (line,) = lines()
    text = orjson.dumps(line).decode()
    for personal in ("a@b.example", "4915112345678", "Ada", "4000123412341234", "abc", "Bonn"):
        assert personal not in text
    assert line["count"] == 3
    assert line["member"] == {"name": "…", "tier": "gold", "contact": "…"}
    assert line["member_id"] == "019a1b2c-0000-7000-8000-000000000001"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("mail to ada.lovelace@example.org bounced", "mail to … bounced"),
        ("card 4000 1234 1234 1234 refused", "card … refused"),
        ("called +49 151 12345678.", "called …."),
        ("key tk_abcdefghijklmnop was sent", "key … was sent"),
        ("invited with hi_abcdefghijklmnop", "invited with …"),
        ("Authorization: Bearer eyJhbGciOi.eyJzdWIi.c2ln", "Authorization: …"),
        ("receipt 12345 of 2026-03-01 took 250 ms", "receipt 12345 of 2026-03-01 took 250 ms"),
        ("at 2026-03-01T09:30:00+01:00", "at 2026-03-01T09:30:00+01:00"),
        ("member 01912345-6789-7000-8000-000000000001", "member 01912345-6789-7000-8000-000000000001"),
    ],
)
def test_texts_are_searched(text: str, masked: str) -> None:
    assert mask_text(text) == masked


def test_what_is_too_deep_or_no_text_is_masked() -> None:
    deep: dict[str, object] = {"a": 1}
    for _ in range(10):
        deep = {"a": deep}

    assert "…" in str(mask(deep))
    assert mask(b"bytes") == "…"


class Person(BaseModel):
    """Something that fails to validate."""

    age: int


def test_a_failure_is_told_without_the_data_it_was_about(lines: Lines) -> None:
    log = structlog.get_logger()
    duplicate = asyncpg.UniqueViolationError("duplicate key value violates unique constraint")
    duplicate.detail = "Key (email)=(ada@example.org) already exists."
    duplicate.constraint_name = "members_email"
    for failing in (
        lambda: Person.model_validate({"age": "ada@example.org"}),
        lambda: _raise(duplicate),
        lambda: _raise(IntegrityError("insert into members …", {"email": "ada@example.org"}, duplicate)),
        lambda: _raise(ValueError("cannot send to ada@example.org")),
    ):
        try:
            failing()
        except Exception:
            log.exception("failed")

    for line in lines():
        assert "ada@" not in orjson.dumps(line).decode()
        assert line["failure"][0]["frames"]  # type: ignore[index]  # a list, as the test's point is
    told = [line["failure"][0]["message"] for line in lines()]  # type: ignore[index]  # as above
    assert told[0] == "Person: age: int_parsing"
    assert told[1] == "23505: duplicate key value violates unique constraint (constraint members_email)"
    assert told[2] == told[1]


def test_a_cause_is_told_with_its_failure(lines: Lines) -> None:
    outer = RuntimeError("outer")
    outer.__cause__ = KeyError("inner")
    try:
        _raise(outer)
    except RuntimeError:
        structlog.get_logger().exception("failed")

    (line,) = lines()
    assert [link["type"] for link in line["failure"]] == ["RuntimeError", "KeyError"]  # type: ignore[attr-defined]  # a list


def test_an_empty_message_is_empty() -> None:
    assert message_of(ValueError()) == ""


def _raise(error: Exception) -> None:
    raise error
