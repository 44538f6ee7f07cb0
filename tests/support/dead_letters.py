"""Records that nobody could handle, as a consumer hands them over."""

from typing import Any

from shared.events.envelope import Event
from shared.kafka import DeadLetter


def unhandled(
    offset: int,
    key: str,
    *,
    quoting: str = "",
    topic: str = "loyalty.purchases",
    headers: dict[str, bytes] | None = None,
    event: Event | None = None,
) -> DeadLetter[Any]:
    """One whose bytes quote this text, a card's hash for instance."""
    return DeadLetter(
        topic=topic,
        partition=0,
        offset=offset,
        key=key.encode(),
        body=b"{broken " + quoting.encode(),
        headers=headers or {},
        cause="rejected",
        detail="no such thing",
        event=event,
    )
