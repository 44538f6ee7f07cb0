"""A purchase event's identity, and the key it travels under."""

from uuid import UUID, uuid5

from shared.events.purchases import PurchaseEvent

# Never change: a till's retry must give the event the id it had.
_EVENT_NAMESPACE = UUID("6f0b2a52-9a0e-5d0f-8a63-6d1f4f0f7c11")


def purchase_event_id(receipt_id: str, content_hash: str, member_id: UUID | None) -> UUID:
    """The same document of the same member is the same event; under another member it is a new one."""
    return uuid5(_EVENT_NAMESPACE, f"{receipt_id}\n{content_hash}\n{member_id or ''}")


def with_member(event: PurchaseEvent, member_id: UUID) -> PurchaseEvent:
    """The event of the same document, now that its member is known."""
    event_id = purchase_event_id(event.data.receipt_id, event.data.content_hash, member_id)
    data = event.data.model_copy(update={"member_id": member_id})
    return event.model_copy(update={"id": event_id, "data": data})


def of_erased_member(event: PurchaseEvent, member_id: UUID) -> PurchaseEvent:
    """The event of the same document under its member, who was erased: nothing in it leads to a person."""
    named = with_member(event, member_id)
    return named.model_copy(update={"data": named.data.model_copy(update={"identifier_hash": None})})


def partition_key(event: PurchaseEvent) -> str:
    """Member, else identifier hash, else till."""
    data = event.data
    if data.member_id is not None:
        return str(data.member_id)
    return data.identifier_hash or f"{data.partner_id}/{data.store_id}/{data.till_id}"
