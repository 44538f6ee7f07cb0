"""Loads the facts that published rules ask for beside receipts: stores, members, counters, budgets. Set-based.

Nothing of it costs a statement while no published rule set asks for it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, TypeAlias
from uuid import UUID

from services.accrual.domain.counters import AsksOfReceipt, Counted, CountedAsk, Counter, asks_of
from services.accrual.domain.decisions import Document, Facts
from services.accrual.domain.earning_facts import EarningFacts, MemberFacts, Used
from services.accrual.domain.earning_of_batch import EarningOfBatch
from services.accrual.domain.rules.needs import CountedPlace
from services.accrual.domain.tiers.scheme import TierSchemeHistory
from services.accrual.repository import campaign_budgets, counted_days, projections
from services.accrual.repository.places import StoreFacts
from services.accrual.repository.places import load_stores as read_stores
from services.accrual.use_cases.decide_documents import undecidable
from services.accrual.use_cases.load_exchanges import goods_of
from services.accrual.use_cases.load_member_facts import Judged, ask_of_members, member_facts
from services.accrual.use_cases.load_tiers import load_tiers_at, read_tiers_at
from shared import ledger
from shared.database import Transaction
from shared.database.reads import Answer, Reads
from shared.events.purchases import PurchaseData
from shared.outbox import Message

Stores: TypeAlias = Mapping[tuple[str, str], StoreFacts]


async def load_earning(
    transaction: Transaction,
    documents: Sequence[Document],
    facts: Facts,
    schemes: TierSchemeHistory,
    *,
    point_type: str,
    is_preview: bool = False,
    is_counted: bool = True,
    stores: Stores | None = None,
    sharing_trips: bool = False,
) -> tuple[EarningOfBatch | None, list[Message]]:
    """The facts of a batch whose members are locked, and what is to be told of tiers that time has changed.

    None: no published rule set asks for any. The number of statements does not depend on the size of the batch. A
    preview locks nobody, and writes nothing; a single document's may share its round trips. Not ``is_counted``: without
    what depends on what was given before. ``stores``: what is known of the stores, where it was read before.

    Raises:
        UndecidableError: a fact that the rules need can not be had.
    """
    history = facts.rule_sets
    if not history.needs_loading:
        return None, []
    judged = list(_judged(documents, facts))
    known = stores if stores is not None else await load_stores(transaction, documents, facts)
    at_store = {key: EarningFacts(facts.zone, store.zone, store.group) for key, store in known.items()}
    here = {one.natural_key: at_store.get(_store(one.purchase), EarningFacts(facts.zone)) for one in judged}
    return await load_judged(
        Reads(transaction, sharing_trips=sharing_trips),
        judged,
        here,
        schemes,
        history.counted_places,
        at_store,
        point_type=point_type,
        is_preview=is_preview,
        is_counted=is_counted,
    )


async def load_judged(
    reads: Reads,
    judged: Sequence[Judged],
    here: Mapping[bytes, EarningFacts],
    schemes: TierSchemeHistory,
    places: Mapping[CountedPlace, datetime],
    at_store: Mapping[tuple[str, str], EarningFacts],
    *,
    point_type: str,
    is_preview: bool = False,
    is_counted: bool = True,
) -> tuple[EarningOfBatch, list[Message]]:
    """The same for what is known to be judged, whatever it is; ``here`` is what is known of where each happened.

    Raises:
        UndecidableError: a fact that the rules need can not be had.
    """
    tiers = reads.ask(_tiers, judged, schemes, is_preview=is_preview)
    enrolled = reads.ask(_enrolled, judged)
    asked = ask_of_members(reads, judged)
    asks = _asks(judged, here, places) if is_counted else {}
    counted = _ask_counted(reads, judged, asks, point_type) if is_counted else None
    await reads.answered()
    tier_of, told = tiers.value
    percents = _tier_percents(judged, tier_of, schemes)
    members = member_facts(asked, judged, here, enrolled.value, tier_of, percents)
    of_receipts = {key: _at_store(here[key], member) for key, member in members.items()}
    if counted is None:
        return EarningOfBatch(of_receipts, at_store, {}, places, {}), told
    return EarningOfBatch(
        facts=of_receipts,
        at_store=at_store,
        counted=counted.counted.value,
        places=places,
        budgets_used=counted.budgets.value,
        balances=counted.balances.value,
        latest=counted.latest.value,
        asks=asks,
    ), told


def _at_store(here: EarningFacts, member: MemberFacts) -> EarningFacts:
    """The same with what is known of the member; there is one for every receipt, and replacing takes long."""
    return EarningFacts(here.programme_zone, here.store_zone, here.store_group, member)


def _asks(
    judged: Sequence[Judged], facts: Mapping[bytes, EarningFacts], places: Mapping[CountedPlace, datetime]
) -> dict[bytes, AsksOfReceipt]:
    with undecidable():
        return {
            key: asks_of(member_id, purchase, facts[key], rule_set, places)
            for key, member_id, purchase, rule_set in judged
        }


class _AskedOfCounters(NamedTuple):
    counted: Answer[Mapping[CountedAsk, Counted]]
    budgets: Answer[Mapping[str, Used]]
    balances: Answer[Mapping[UUID, int]]
    latest: Answer[Mapping[Counter, datetime]]


def _ask_counted(
    reads: Reads,
    judged: Sequence[Judged],
    asks: Mapping[bytes, AsksOfReceipt],
    point_type: str,
) -> _AskedOfCounters:
    return _AskedOfCounters(
        reads.ask(_counted, asks.values()),
        reads.ask(_budgets, judged),
        reads.ask(_balances, judged, point_type),
        reads.ask(_latest, asks.values()),
    )


def _judged(documents: Sequence[Document], facts: Facts) -> Iterable[Judged]:
    """Those of whom all is known that decides whether they can earn; the store of a till that is known is known."""
    for document in documents:
        goods = goods_of(document.event)
        member_id = facts.owners.get(document.natural_key)
        is_judged = member_id in facts.members and document.till in facts.tills
        if goods is not None and member_id is not None and is_judged:
            rule_set = facts.rule_sets.at(goods.occurred_at)
            if rule_set is not None:
                yield Judged(document.natural_key, member_id, goods, rule_set)


async def load_stores(transaction: Transaction, documents: Sequence[Document], facts: Facts) -> Stores:
    """What is known of the stores that sold, of the purchases that returns undo too."""
    stores = {(partner_id, store_id) for partner_id, store_id, _ in (document.till for document in documents)}
    stores |= {_store(one.purchase) for one in facts.originals.values() if one.purchase is not None}
    return await read_stores(transaction, stores)


async def _tiers(
    transaction: Transaction, judged: Sequence[Judged], schemes: TierSchemeHistory, *, is_preview: bool
) -> tuple[Mapping[bytes, str | None], list[Message]]:
    asked = [one for one in judged if one.rule_set.needs.tier]
    moments: list[tuple[UUID, datetime]] = [(one.member_id, one.purchase.occurred_at) for one in asked]
    told: list[Message] = []
    if is_preview:
        found = await read_tiers_at(transaction, moments, schemes)
    else:
        found, told = await load_tiers_at(transaction, moments, schemes)
    return dict(zip((one.natural_key for one in asked), found, strict=True)), told


def _tier_percents(
    judged: Sequence[Judged], tier_of: Mapping[bytes, str | None], schemes: TierSchemeHistory
) -> Mapping[bytes, int]:
    """What tiers multiply by where rules ask for it, as the scheme in force at each receipt's time says: it never
    changes."""
    found: dict[bytes, int] = {}
    for one in judged:
        tier = tier_of.get(one.natural_key)
        scheme = schemes.at(one.purchase.occurred_at) if one.rule_set.needs.tier_percent and tier is not None else None
        if scheme is not None:
            found[one.natural_key] = scheme.percents.get(tier or "", 100)
    return found


async def _enrolled(transaction: Transaction, judged: Sequence[Judged]) -> Mapping[UUID, datetime]:
    """When members joined: what was counted of all time is whole only of those who joined since."""
    wanted = {one.member_id for one in judged if one.rule_set.needs.enrolled_at or one.rule_set.needs.activity}
    return await projections.load_enrolled_at(transaction, wanted) if wanted else {}


async def _counted(transaction: Transaction, asks: Iterable[AsksOfReceipt]) -> Mapping[CountedAsk, Counted]:
    distinct = dict.fromkeys(ask for one in asks for ask in (*one.activity, *one.caps, *one.places))
    return await counted_days.load(transaction, list(distinct)) if distinct else {}


async def _latest(transaction: Transaction, asks: Iterable[AsksOfReceipt]) -> Mapping[Counter, datetime]:
    """The latest receipt that was counted of each member, so that one which comes late says so."""
    asked = {counter for one in asks for counter in one.of_latest}
    return await counted_days.load_latest(transaction, asked) if asked else {}


async def _budgets(transaction: Transaction, judged: Sequence[Judged]) -> Mapping[str, Used]:
    named = {name for one in judged for name in one.rule_set.needs.budgets}
    return await campaign_budgets.read(transaction, named) if named else {}


async def _balances(transaction: Transaction, judged: Sequence[Judged], point_type: str) -> Mapping[UUID, int]:
    """What members have whose balance is capped. Their accounts are not locked yet: the ledger has the last word."""
    capped = list({one.member_id for one in judged if one.rule_set.needs.balance})
    if not capped:
        return {}
    found = await ledger.load_balances(transaction, capped, point_type)
    return {member_id: had.available + had.held + had.pending - had.debt for member_id, had in found.items()}


def _store(purchase: PurchaseData) -> tuple[str, str]:
    return purchase.partner_id, purchase.store_id
