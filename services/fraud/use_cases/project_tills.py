"""Keep the tills that coalition registered, as far as rules need them."""

from collections.abc import Sequence

from services.fraud.repository import tills
from services.fraud.repository.tills import Till
from shared.database import Transaction
from shared.events.coalition import TillChanged
from shared.events.versions import highest


async def project_tills(transaction: Transaction, changes: Sequence[TillChanged]) -> None:
    """Take in changes of tills, in any order and as often as they come: the highest version of a till stands."""
    newest = highest((change.data for change in changes), lambda data: (data.partner_id, data.store_id, data.till_id))
    await tills.save(
        transaction,
        [Till(data.partner_id, data.store_id, data.till_id, data.is_revoked, data.version) for data in newest],
    )
