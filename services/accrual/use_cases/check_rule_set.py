"""Find everything that is wrong with a rule-set document, before it becomes a draft. Changes nothing."""

from collections.abc import Mapping
from datetime import timedelta, tzinfo
from typing import Any

from services.accrual.domain.rule_faults import DAYS_APART_MAX, all_stores_named, find_faults
from services.accrual.domain.rules import RuleSetDraft
from services.accrual.domain.tiers.scheme import TierSchemeHistory
from services.accrual.repository import known_names, tier_schemes
from shared.database import Transaction
from shared.point_types import PointTypes
from shared.rule_sets.kind import FaultyRuleSetError
from shared.rule_sets.repository import load_publications


async def check_rule_set(
    transaction: Transaction, document: Mapping[str, Any], zone: tzinfo, point_types: PointTypes
) -> dict[str, Any]:
    """The document with every default said, as it is stored.

    Windows that are over are faults, except while nothing is published: the first rule set may reach back.

    Raises:
        FaultyRuleSetError: all that is wrong with it.
    """
    stores = all_stores_named(document)
    is_first = not await load_publications(transaction)
    # A store's zone may be that far behind the programme's.
    earliest = transaction.now.astimezone(zone).date() - timedelta(days=DAYS_APART_MAX)
    known = await known_names.load_known(transaction, stores, None if is_first else earliest)
    promised = TierSchemeHistory(await tier_schemes.load_newer(transaction, 0)).last
    known = known._replace(own_type=point_types.own, other_types=point_types.other_codes, promised=promised)
    faults = find_faults(document, known)
    if faults:
        raise FaultyRuleSetError(faults)
    return RuleSetDraft.model_validate(document).model_dump(mode="json")
