"""Reads a page of receipts as they were decided, with all that a draft judges them by. Changes and locks nothing."""

import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson

from services.accrual.domain.backtests.facts import Before, asks_before, lacks_facts
from services.accrual.domain.backtests.receipts import AwardedReceipt, TakenReturn
from services.accrual.domain.backtests.told import Told, places_of
from services.accrual.domain.category_mapping import PartnerMapping, categories_at
from services.accrual.domain.decisions import Document, Facts
from services.accrual.domain.earning_facts import EarningFacts, facts_of_zone
from services.accrual.domain.rules import RuleSet, RuleSetHistory
from services.accrual.domain.stored_facts import facts_from_stored
from services.accrual.programme import PublishedRules
from services.accrual.repository import counted_days, decided_receipts
from services.accrual.repository.decided_receipts import DecidedAward, DecidedDocument, DecidedPage
from services.accrual.repository.stored_documents import decompress
from services.accrual.use_cases.load_earning import load_earning
from services.accrual.use_cases.load_exchanges import purchase_of
from services.accrual.use_cases.load_tiers import read_tiers_at
from shared.database import Transaction
from shared.events.catalogue import PURCHASES
from shared.events.purchases import PurchaseData, PurchaseEvent

PAGE_RECEIPTS_MAX = 1_000

_OCCURRED_AT = re.compile(rb'"occurred_at"\s*:\s*"([^"]+)"')


@dataclass(frozen=True, slots=True)
class Selection:
    """Which receipts are judged again, and by what: those that occurred from ``begin`` to just before ``end``."""

    draft: RuleSet
    told: Told
    rules: PublishedRules
    begin: datetime
    end: datetime
    begins_on: date
    zone: ZoneInfo
    point_type: str
    partners: frozenset[str]
    sample_percent: int

    def wants(self, occurred_at: datetime) -> bool:
        """Whether a receipt of this time is one of them."""
        return self.begin <= occurred_at < self.end

    def wants_member(self, member_id: UUID) -> bool:
        """Whether a member is in the sample: the same ones each time."""
        return self.sample_percent >= 100 or zlib.crc32(member_id.bytes) % 100 < self.sample_percent


class BacktestPage(NamedTuple):
    """Receipts with all that they are judged by, and returns, in the order in which they were decided. Of those that
    one transaction decided the receipts come first.

    ``documents`` is how many were read for it. Receipts that were moved to another member when goods had come back were
    awarded anew for what was kept: they are left out, and so are those that were corrected.
    """

    decided: list[AwardedReceipt | TakenReturn]
    before: Before
    documents: int
    left_out: int


class _Found(NamedTuple):
    natural_key: bytes
    decided_at: datetime
    event: PurchaseEvent
    goods: PurchaseData
    award: DecidedAward


class ReadPage(NamedTuple):
    """A page, and the receipts of it that are judged again."""

    page: DecidedPage
    found: list[_Found]
    left_out: int


async def fetch_page(transaction: Transaction, after: datetime, decided_end: datetime) -> DecidedPage:
    """The next page of what was decided after a moment, as it is stored."""
    return await decided_receipts.load_page(transaction, after, decided_end, PAGE_RECEIPTS_MAX)


def read_page(page: DecidedPage, selection: Selection) -> ReadPage:
    """Those of a page that are judged again, decoded. Pure: it may run in a thread of its own."""
    wanted = list(_found(page.documents, page.awards, selection))
    anew = page.moved & page.coming_back
    found = [one for one in wanted if one.natural_key not in anew and not one.award.is_corrected]
    return ReadPage(page, found, len(wanted) - len(found))


async def complete_page(transaction: Transaction, read: ReadPage, selection: Selection) -> BacktestPage:
    """The same with all that they are judged by. The number of statements does not depend on the size of the page."""
    page, found, left_out = read
    rules = selection.rules
    mappings = await rules.mappings.refresh(transaction, {one.event.data.partner_id for one in found})
    tiers = await _tiers(transaction, found, rules)
    loaded = await _loaded(transaction, found, selection)
    receipts = [
        _receipt(one, selection, mappings, loaded, tier, comes_back=one.natural_key in page.coming_back)
        for one, tier in zip(found, tiers, strict=True)
    ]
    before = await _before(transaction, receipts, selection)
    return BacktestPage(_in_order(receipts, page.returns), before, len(page.documents), left_out)


def _in_order(receipts: Sequence[AwardedReceipt], returns: Sequence[TakenReturn]) -> list[AwardedReceipt | TakenReturn]:
    """As they were decided: what came back in an exchange just before what was given for the new goods, and what a
    handover took before it, or just after the prepayment where that was decided with it.
    """
    given = {one.natural_key: one for one in receipts}
    exchanged = {one.natural_key: one for one in returns if one.natural_key in given}
    taken_at_once = {
        one.original_key: one
        for one in returns
        if one.is_handover and (paid := given.get(one.original_key)) is not None and paid.decided_at == one.decided_at
    }
    decided: list[AwardedReceipt | TakenReturn] = [one for one in returns if one.is_handover]
    decided = [one for one in decided if one not in taken_at_once.values()]
    for receipt in receipts:
        key = receipt.natural_key
        decided += [one for one in (exchanged.get(key), receipt, taken_at_once.get(key)) if one is not None]
    decided += [one for one in returns if not one.is_handover and one.natural_key not in exchanged]
    placed = given.keys() | {one.natural_key for one in returns if one.is_handover}
    decided.sort(key=lambda one: (one.decided_at, one.natural_key not in placed))
    return decided


def _found(
    documents: Sequence[DecidedDocument], awards: Mapping[bytes, DecidedAward], selection: Selection
) -> Iterator[_Found]:
    """Awarded purchases of the period. Most documents that are none are told by their time, undecoded."""
    for key, decided_at, stored in documents:
        award = awards.get(key)
        if award is None or not selection.wants_member(award.owner_id):
            continue
        body = decompress(stored)
        said = _OCCURRED_AT.search(body)
        if said is not None and not selection.wants(datetime.fromisoformat(said[1].decode())):
            continue
        event = PURCHASES.read(body)
        goods = purchase_of(event, award.decision)
        if goods is None or not selection.wants(event.data.occurred_at):
            continue
        if selection.partners and event.data.partner_id not in selection.partners:
            continue
        yield _Found(key, decided_at, event, goods, award)


async def _tiers(transaction: Transaction, found: Sequence[_Found], rules: PublishedRules) -> list[str | None]:
    """The tier of each receipt's member at its time."""
    schemes = rules.tiers.history
    if schemes.is_empty or not found:
        return [None] * len(found)
    moments = [(one.award.owner_id, one.event.data.occurred_at) for one in found]
    return await read_tiers_at(transaction, moments, schemes)


async def _loaded(
    transaction: Transaction, found: Sequence[_Found], selection: Selection
) -> Mapping[bytes, EarningFacts]:
    """Facts that the draft asks for and that were not stored with the award: as they are known of that time now."""
    history, draft, told = selection.rules.history, selection.draft, selection.told
    lacking = [
        one for one in found if lacks_facts(draft.needs, history.version(one.award.rule_set_version).needs, told)
    ]
    if not lacking:
        return {}
    documents = [Document(one.natural_key, b"", _till(one), None, one.event, b"") for one in lacking]
    facts = Facts(
        owners={one.natural_key: one.award.owner_id for one in lacking},
        members={one.award.owner_id: "active" for one in lacking},
        tills={document.till for document in documents},
        partners={},
        mappings={},
        funds={},
        originals={},
        rule_sets=RuleSetHistory((draft,)),
        now=transaction.now,
        parked_window=timedelta(0),
        zone=selection.zone,
    )
    schemes, point_type = selection.rules.tiers.history, selection.point_type
    earning, _ = await load_earning(
        transaction, documents, facts, schemes, point_type=point_type, is_preview=True, is_counted=False
    )
    return {} if earning is None else earning.facts


def _till(one: _Found) -> tuple[str, str, str]:
    data = one.event.data
    return data.partner_id, data.store_id, data.till_id


def _receipt(
    one: _Found,
    selection: Selection,
    mappings: Mapping[str, PartnerMapping],
    loaded: Mapping[bytes, EarningFacts],
    tier: str | None,
    *,
    comes_back: bool,
) -> AwardedReceipt:
    key, decided_at, _, purchase, award = one
    rule_set = selection.rules.history.version(award.rule_set_version)
    decision = orjson.loads(award.decision)
    return AwardedReceipt(
        natural_key=key,
        decided_at=decided_at,
        owner_id=award.owner_id,
        purchase=purchase,
        rule_set=rule_set,
        categories=categories_at(mappings.get(purchase.partner_id), purchase.occurred_at, award.mapping_version),
        stored=facts_from_stored(decision.get("facts"), rule_set.needs),
        loaded=loaded.get(key) or facts_of_zone(selection.zone),
        points=award.points,
        base_minor=decision["base"],
        applied=dict(decision["applied"]),
        tier=tier,
        comes_back=comes_back,
        is_voided=award.is_voided,
    )


async def _before(transaction: Transaction, receipts: Sequence[AwardedReceipt], selection: Selection) -> Before:
    """What was counted before the period, where no version in force tells of it."""
    draft, history = selection.draft, selection.rules.history
    asks = dict.fromkeys(
        ask for one in receipts for ask in asks_before(one, draft.needs, selection.told, selection.begins_on)
    )
    counted = await counted_days.load(transaction, list(asks)) if asks else {}
    begin = selection.begin.astimezone(UTC)
    since = {place: min(history.counted_places.get(place, begin), begin) for place in places_of(draft)}
    return Before(counted, since)
