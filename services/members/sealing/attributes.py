"""The value of a personal attribute as bytes that only the member's key opens."""

from services.members.domain.attributes import Attribute, Entry, StoredEntry
from services.members.sealing.member_keys import MemberKey


def stored(attribute: Attribute, entry: Entry, key: MemberKey) -> StoredEntry:
    """The entry as the database may hold it."""
    kept, is_personal = entry.canonical, attribute.is_personal
    return StoredEntry(
        entry_id=entry.entry_id,
        member_id=entry.member_id,
        code=entry.code,
        plain=None if is_personal else kept,
        sealed=None if kept is None or not is_personal else key.seal(_field_set(attribute), kept.encode()),
        source=entry.source,
        stated_at=entry.stated_at,
        recorded_at=entry.recorded_at,
        recorded_by=entry.recorded_by,
    )


def read(attribute: Attribute, stored_entry: StoredEntry, key: MemberKey) -> Entry:
    """The entry again.

    Raises:
        SealBrokenError
    """
    sealed = stored_entry.sealed
    return Entry(
        entry_id=stored_entry.entry_id,
        member_id=stored_entry.member_id,
        code=stored_entry.code,
        canonical=stored_entry.plain if sealed is None else key.open(_field_set(attribute), sealed).decode(),
        source=stored_entry.source,
        stated_at=stored_entry.stated_at,
        recorded_at=stored_entry.recorded_at,
        recorded_by=stored_entry.recorded_by,
    )


def _field_set(attribute: Attribute) -> str:
    return f"attribute {attribute.code}"
