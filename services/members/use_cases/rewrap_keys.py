"""Replace a master key: what another one wraps is wrapped by the current one, page by page."""

from services.members.repository import member_keys
from services.members.sealing.master_keys import MasterKeys
from shared.database import Database, Transaction

KEYS_PER_PAGE_MAX = 500


async def rewrap_all(database: Database, master_keys: MasterKeys) -> None:
    """Every key that is not wrapped by the current master key, each page in its own transaction.

    May be cut off anywhere and goes on from there; several may do it at once. What is sealed under the members' keys
    is not touched.

    Raises:
        MasterKeyMissingError: the settings do not name the master key that wraps one.
        SealBrokenError: one cannot be opened.
    """
    rewrapped = KEYS_PER_PAGE_MAX
    while rewrapped == KEYS_PER_PAGE_MAX:
        rewrapped = await database.run(lambda transaction: rewrap_page(transaction, master_keys))


async def rewrap_page(transaction: Transaction, master_keys: MasterKeys) -> int:
    """One page; how many keys were wrapped anew."""
    found = await member_keys.lock_wrapped_by_others(transaction, master_keys.current_id, KEYS_PER_PAGE_MAX)
    if found:
        anew = {member_id: master_keys.wrap(master_keys.unwrap(key, member_id)) for member_id, key in found.items()}
        await member_keys.save_wrapped(transaction, anew)
    return len(found)
