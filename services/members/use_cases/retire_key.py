"""Retire an identifier key: what was hashed with it is let go everywhere, and never counts again."""

from services.members.domain.errors import IdentifierKeyInUseError
from services.members.repository import rekeying
from services.members.use_cases.identifier_announcements import key_retired
from shared import outbox
from shared.database import Transaction, retired_keys
from shared.ids import IdentifierKeys


async def retire_key(
    transaction: Transaction, keys: IdentifierKeys, key_version: int, *, forgets_unknown: bool
) -> bool:
    """Keep that a key is retired, and record IdentifierKeyRetired; whether that is news.

    The hashes go afterwards, a page at a time (``RetiredHashes``). With ``forgets_unknown`` even what no other key has
    hashed goes, and is nobody's then. Idempotent.

    Raises:
        IdentifierKeyInUseError: it is the present key or a later one, or something is known under no other valid one.
    """
    if key_version == keys.present.version:
        raise IdentifierKeyInUseError("identifiers are hashed with this key: make another one the present one first")
    if key_version > keys.present.version:  # its hashes would be dead from the day on which doors make them
        raise IdentifierKeyInUseError(
            f"only keys that are older than the present one (version {keys.present.version}) are retired: a retired "
            "version can never be used again"
        )
    if not forgets_unknown and await rekeying.has_alone(transaction, key_version, keys.present.version):
        raise IdentifierKeyInUseError(
            "there are identifiers that no other key has hashed: POST /v1/identifiers:rekey until nothing is left, and "
            "link those without a value to their members again"
        )
    is_news = await retired_keys.retire(transaction, key_version)
    if is_news:
        await outbox.record(transaction, [key_retired(key_version, transaction.now)])
    return is_news


async def require_known_keys(transaction: Transaction, keys: IdentifierKeys) -> None:
    """Whether every hash in the registry is of a key that the settings name, or of one that was retired; and whether
    the present key is none of those.

    Under a key that nobody names, what is somebody's would look free. What a retired key hashes is let go again.

    Raises:
        IdentifierKeyInUseError: with the versions that are missing, or the one that was retired.
    """
    retired = await retired_keys.load(transaction)
    if keys.present.version in retired:
        raise IdentifierKeyInUseError(
            f"the present identifier key (version {keys.present.version}) was retired, and can never be used again: "
            "give the key in TESSERA_IDENTIFIER_KEY a higher version, and make it a new one"
        )
    present = await rekeying.load_key_versions(transaction)
    if missing := present.difference(keys.versions, retired):
        named = ", ".join(map(str, sorted(missing)))
        raise IdentifierKeyInUseError(
            f"identifiers are hashed with keys that the settings do not name (version {named}): put them into "
            "TESSERA_IDENTIFIER_KEY or TESSERA_IDENTIFIER_KEY_SECOND, or retire them first"
        )
