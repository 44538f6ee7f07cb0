"""Published rules over spending: immutable versions."""

from services.fraud.domain.spending.rule_set import SpendRuleSet
from services.fraud.repository.rule_sets import RuleSetChangedError
from shared.database import Transaction

_PUBLISH = """
    insert into spend_rule_sets (version, digest, body, published_at) values ($1, $2, $3, $4) on conflict do nothing
"""
_FIND = "select digest, body from spend_rule_sets where version = $1"


async def publish(transaction: Transaction, rule_set: SpendRuleSet) -> None:
    """Record a version. Idempotent.

    Raises:
        RuleSetChangedError: the version is there with another content.
    """
    body = rule_set.to_json().decode()
    await transaction.raw.execute(_PUBLISH, rule_set.version, rule_set.digest, body, transaction.now)
    row = await transaction.raw.fetchrow(_FIND, rule_set.version)
    if row is None or row["digest"] != rule_set.digest:
        raise RuleSetChangedError(f"fraud's spend rule set {rule_set.version} was published with other parameters")


async def find(transaction: Transaction, version: int) -> SpendRuleSet | None:
    """A published version, as it was."""
    row = await transaction.raw.fetchrow(_FIND, version)
    return None if row is None else SpendRuleSet.model_validate_json(row["body"])
