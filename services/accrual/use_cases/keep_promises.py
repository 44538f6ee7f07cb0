"""Whether rules and tier schemes that will be in force together agree on what tiers multiply by.

Publications of both queue behind each other (``shared.rule_sets``), so that neither misses the other.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from services.accrual.domain.rule_faults.promises import promise_faults, scheme_faults
from services.accrual.domain.rules import RuleSetDraft, RuleSetHistory
from services.accrual.domain.tiers.scheme import TierScheme, TierSchemeHistory
from services.accrual.repository import rule_sets, tier_schemes
from shared.database import Transaction
from shared.faults import Fault
from shared.rule_sets.repository import load_publications

_FOR_EVER = datetime.max.replace(tzinfo=UTC)


class UnkeptPromiseError(Exception):
    """A tier is promised a multiplier that no rule gives; each fault says which, and what would give it."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(f"{fault.pointer}: {fault.detail}" for fault in faults))
        self.faults = tuple(faults)


async def require_kept_by(transaction: Transaction, rules: RuleSetDraft, effective_from: datetime) -> None:
    """Refuse rules that do not keep what a published scheme promises while they are in force.

    Raises:
        UnkeptPromiseError: they do not.
    """
    starts = [one.effective_from for one in await load_publications(transaction)]
    until = min((start for start in starts if start > effective_from), default=_FOR_EVER)
    schemes = TierSchemeHistory(await tier_schemes.load_newer(transaction, 0))
    beside = [schemes.at(effective_from), *(one for one in schemes.between(effective_from, until))]
    _refuse([fault for scheme in beside for fault in promise_faults(rules, scheme)])


async def require_kept(transaction: Transaction, scheme: TierScheme, others: Sequence[TierScheme]) -> None:
    """Refuse a scheme that promises what published rules do not give while it is in force beside ``others``.

    Raises:
        UnkeptPromiseError: it does.
    """
    known = await rule_sets.load_newer(transaction, 0)
    starts = [other.effective_from for other in others]
    until = min((start for start in starts if start > scheme.effective_from), default=_FOR_EVER)
    beside = RuleSetHistory(known.newer, known.withdrawn).judging(scheme.effective_from, until)
    _refuse([fault for rules in reversed(beside) for fault in scheme_faults(scheme, rules, rules.version)])


def _refuse(faults: Sequence[Fault]) -> None:
    if faults:
        raise UnkeptPromiseError(list(dict.fromkeys(faults)))
