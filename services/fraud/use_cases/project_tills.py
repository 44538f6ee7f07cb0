"""Keep the tills that coalition registered, as far as rules need them."""

from collections.abc import Sequence

from services.fraud.repository import tills
from services.fraud.repository.tills import Till
from shared.database import Transaction
from shared.events.coalition import TillChanged


async def project_tills(transaction: Transaction, changes: Sequence[TillChanged]) -> None:
    """Take in changes of tills, in any order and as often as they come: the highest version of a till stands."""
    newest: dict[tuple[str, str, str], Till] = {}
    for change in changes:
        data = change.data
        key = (data.partner_id, data.store_id, data.till_id)
        if key not in newest or newest[key].version < data.version:
            newest[key] = Till(*key, data.is_revoked, data.version)
    await tills.save(transaction, list(newest.values()))
