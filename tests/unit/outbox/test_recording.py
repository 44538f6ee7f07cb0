"""What is written with an event, and in which queue it stands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.outbox import Message
from shared.outbox.recording import pack_headers, slot_of, unpack_headers
from tests.support.consuming import TOPIC, refusal

NO_ZEROS = st.characters(exclude_characters="\0", codec="utf-8")
HEADERS = st.lists(st.tuples(st.text(NO_ZEROS), st.binary().filter(lambda value: b"\0" not in value)), max_size=5).map(
    tuple
)


@given(HEADERS)
def test_headers_come_back_as_they_were(headers: tuple[tuple[str, bytes], ...]) -> None:
    assert unpack_headers(pack_headers(headers)) == headers


def test_a_zero_byte_in_a_header_is_refused() -> None:
    with pytest.raises(ValueError, match="zero byte"):
        pack_headers((("name", b"a\0b"),))


def test_a_message_bears_type_id_and_trace() -> None:
    event = refusal(1).model_copy(update={"traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01"})
    message = Message.of(event, TOPIC, "key", (("points_tender", b"1"),))
    assert (message.topic, message.key, message.body) == (TOPIC, "key", event.to_bytes())
    assert dict(message.headers) == {
        "type": b"loyalty.receipt.refused.v1",
        "id": str(event.id).encode(),
        "traceparent": (event.traceparent or "").encode(),
        "points_tender": b"1",
    }


def test_a_key_stands_in_the_same_slot_in_every_process() -> None:
    """CRC-32, not Python's hash, which differs between processes: these values never change."""
    assert [slot_of(key) for key in ("", "a", "member", "0199a1b2-0000-7000-8000-000000000001")] == [0, 3, 8, 1]
