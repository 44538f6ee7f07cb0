"""Write administrative acts into the audit log: who, what, before, after, why."""

from collections.abc import Sequence

from services.coalition.domain.audit import Act
from services.coalition.repository import audit
from shared.database import Transaction
from shared.web import current_request_id


async def record_acts(transaction: Transaction, acts: Sequence[Act]) -> None:
    """Record acts in the transaction that does them: both are there afterwards, or neither.

    Call it after the effect and before ``outbox.record``; one statement, whatever the number of acts. Nobody can
    change or delete an entry: the service's role has no right to.
    """
    if acts:
        await audit.insert_entries(transaction, acts, current_request_id())
