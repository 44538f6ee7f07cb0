"""Published rule sets, of receipts and of spending: immutable versions, each kind in a table of its own."""

from services.fraud.domain.rule_set import RuleSet
from services.fraud.domain.spending.rule_set import SpendRuleSet
from services.fraud.domain.versioned_rules import VersionedRules
from shared.database import Transaction

_TABLES: dict[type[VersionedRules], str] = {RuleSet: "rule_sets", SpendRuleSet: "spend_rule_sets"}
_PUBLISH = "insert into {} (version, digest, body, published_at) values ($1, $2, $3, $4) on conflict do nothing"
_FIND = "select digest, body from {} where version = $1"


class RuleSetChangedError(Exception):
    """This version was published with other rules: raise the version of the rule set in the code."""


async def publish(transaction: Transaction, rule_set: VersionedRules) -> None:
    """Record a version. Idempotent.

    Raises:
        RuleSetChangedError: the version is there with another content.
    """
    table, body = _TABLES[type(rule_set)], rule_set.to_json().decode()
    await transaction.raw.execute(_PUBLISH.format(table), rule_set.version, rule_set.digest, body, transaction.now)
    row = await transaction.raw.fetchrow(_FIND.format(table), rule_set.version)
    if row is None or row["digest"] != rule_set.digest:
        raise RuleSetChangedError(f"version {rule_set.version} of fraud's {table} was published with other parameters")


async def find(transaction: Transaction, version: int) -> RuleSet | None:
    """A published version of the rules over receipts, as it was."""
    body = await _find_body(transaction, RuleSet, version)
    return None if body is None else RuleSet.model_validate_json(body)


async def find_spending(transaction: Transaction, version: int) -> SpendRuleSet | None:
    """A published version of the rules over spending, as it was."""
    body = await _find_body(transaction, SpendRuleSet, version)
    return None if body is None else SpendRuleSet.model_validate_json(body)


async def _find_body(transaction: Transaction, kind: type[VersionedRules], version: int) -> str | None:
    row = await transaction.raw.fetchrow(_FIND.format(_TABLES[kind]), version)
    return None if row is None else row["body"]
