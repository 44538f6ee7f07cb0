"""Published rule sets, as workers judge by them: immutable versions."""

from typing import NamedTuple

from services.accrual.domain.rules import RuleSet
from shared.database import Transaction
from shared.rule_sets import repository


class Known(NamedTuple):
    """What a process has to read: versions that it does not know, and which of all were withdrawn."""

    newer: list[RuleSet]
    withdrawn: frozenset[int]


async def load_newer(transaction: Transaction, than_version: int) -> Known:
    """Versions above ``than_version``, rising, and all that were withdrawn."""
    known = await repository.load_newer(transaction, than_version)
    return Known([RuleSet.model_validate_json(document) for document in known.newer], known.withdrawn)
