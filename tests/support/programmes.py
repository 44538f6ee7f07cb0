"""Plays the demo's receipts under the programmes of ``docs/programmes``, on paper: the pure decisions, one by one.

``python -m tests.support.programmes`` writes what comes of it beside each programme, for people to look at before they
commit it; the test only compares.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from cli.demo.documents import household_of, stage_play
from cli.demo.panel import load_baskets
from services.accrual.domain.deciding import decide_document
from services.accrual.domain.decisions import Awarded, ClawedBack, Decision, Document, Facts, Parked, Refused
from services.accrual.domain.earning_facts import EarningFacts, MemberFacts
from services.accrual.domain.earning_of_batch import EarningOfBatch
from services.accrual.domain.rules import RuleSet, RuleSetHistory
from services.accrual.domain.tiers.counting import count_decisions
from services.accrual.domain.tiers.grading import Cause, grade
from services.accrual.domain.tiers.qualification import Amounts, CountedDay
from services.accrual.domain.tiers.scheme import TierScheme, TierSchemeHistory
from services.accrual.domain.tiers.standing import Collected, Standing
from services.accrual.schemas.documents import ReceiptBody
from services.accrual.use_cases.document_event import to_event
from services.accrual.use_cases.read_document import Submission
from shared.events.purchases import PurchaseData
from shared.ids import IdentifierKey
from shared.ledger.payers import shares_of
from shared.receipt_key import SequenceKey, encode_receipt_key

PROGRAMMES = Path(__file__).resolve().parents[2] / "docs" / "programmes"
NAMES = ("grocer", "fuel-and-pharmacy", "bank-card")
TODAY = date(2026, 11, 24)  # the demo's receipts end the day before
BEGINS_AT = datetime(2026, 10, 1, tzinfo=UTC)
HOUSEHOLDS_OF = 10
_MEMBERS = UUID("6c1f0a40-7b3a-4f0e-8e53-0b4a6a6c1f31")
_OPERATORS = IdentifierKey(1, bytes(range(32)))


@dataclass(frozen=True)
class Programme:
    """One programme as its files say it."""

    name: str

    def said(self, file: str) -> Any:
        """What a file says."""
        return json.loads((PROGRAMMES / self.name / f"{file}.json").read_text())

    @property
    def rule_set(self) -> RuleSet:
        """Its rules, in force from the beginning."""
        return RuleSet.model_validate({"version": 1, "effective_from": BEGINS_AT, **self.said("rule-set")})

    @property
    def tiers(self) -> TierSchemeHistory:
        """Its tiers, in force from the beginning."""
        scheme = {"version": 1, "effective_from": BEGINS_AT, **self.said("tier-scheme")}
        return TierSchemeHistory([TierScheme.model_validate(scheme)])

    @property
    def zone(self) -> ZoneInfo:
        """Where its days end."""
        return ZoneInfo(self.said("programme")["zone"])

    @property
    def documents(self) -> list[Document]:
        """The demo's receipts of its partners, in order of time."""
        partners = set(self.said("programme")["partners"])
        return [one for one in demo_documents() if one.till[0] in partners]


@cache
def demo_documents() -> tuple[Document, ...]:
    """What the demo posts for a tenth of its households, as the worker sees it."""
    play = stage_play(load_baskets(TODAY, HOUSEHOLDS_OF), cashier_household=HOUSEHOLDS_OF)
    said = sorted(play.documents, key=lambda document: (document["occurred_at"], document["type"]))
    return tuple(_document(document) for document in said)


def _document(document: dict[str, Any]) -> Document:
    body = ReceiptBody.model_validate(document)
    assert isinstance(body.key, SequenceKey)
    partner_id = document["partner_id"]
    natural_key = encode_receipt_key(partner_id, body.key)
    submission = Submission(
        body=body,
        partner_id=partner_id,
        store_id=body.key.store_id,
        till_id=body.key.till_id,
        natural_key=natural_key,
        content_hash=hashlib.sha256(natural_key).hexdigest(),
        identifier_hash=None,
    )
    member_id = uuid5(_MEMBERS, str(household_of(document)))
    return Document.of(to_event(submission, member_id, body.occurred_at, _OPERATORS), b"")


@dataclass
class Play:
    """A programme while it is played: what is decided so far, and where members stand."""

    programme: Programme
    facts: Facts
    of_receipts: dict[bytes, EarningFacts]
    tiers: TierSchemeHistory
    decisions: list[Decision] = field(default_factory=list)
    standings: dict[UUID, Standing] = field(default_factory=dict)
    days: dict[UUID, dict[date, Amounts]] = field(default_factory=dict)
    changes: Counter[str] = field(default_factory=Counter)

    def decide(self, document: Document) -> None:
        """One document more: the tier as of just before it, then the decision, then what it collects."""
        data = document.event.data
        member_id = data.member_id
        assert member_id is not None
        tier = self._graded(member_id, data.occurred_at, "time")
        zone = self.programme.zone
        scheme = self.tiers.at(data.occurred_at)
        assert scheme is not None
        member = MemberFacts(enrolled_at=BEGINS_AT, tier=tier, tier_percent=scheme.percents[tier])
        self.of_receipts[document.natural_key] = EarningFacts(zone, zone, member=member)
        decision = decide_document(document, self.facts)
        self.decisions.append(decision)
        for _, day, amounts, _ in count_decisions([decision], self.facts, self.tiers):
            of_member = self.days.setdefault(member_id, {})
            of_member[day] = of_member.get(day, Amounts()).plus(amounts)
            self._graded(member_id, data.occurred_at, "reversed" if min(amounts) < 0 else "collected")

    def _graded(self, member_id: UUID, at: datetime, cause: Cause) -> str:
        days = [CountedDay(day, amounts) for day, amounts in sorted(self.days.get(member_id, {}).items())]
        collected = Collected(days, BEGINS_AT.date())
        found = grade(self.standings.get(member_id), collected, self.tiers, at, cause)
        assert found is not None
        self.standings[member_id] = found.standing
        self.changes.update(f"{change.old_tier} to {change.new_tier}" for change in found.changes)
        return found.standing.tier


def play(programme: Programme) -> Play:
    """Decide all of the demo's receipts under a programme."""
    documents, history = programme.documents, RuleSetHistory([programme.rule_set])
    of_receipts: dict[bytes, EarningFacts] = {}
    members = {one.event.data.member_id for one in documents if one.event.data.member_id is not None}
    zone = programme.zone
    earning = EarningOfBatch(
        facts=of_receipts,
        at_store={(one.till[0], one.till[1]): EarningFacts(zone, zone) for one in documents},
        counted={},
        places=history.counted_places,
        budgets_used={},
        balances=dict.fromkeys(members, 0),
    )
    facts = Facts(
        owners={one.natural_key: one.event.data.member_id for one in documents if one.event.data.member_id is not None},
        members=dict.fromkeys(members, "active"),
        tills={one.till for one in documents},
        partners={},
        mappings={},
        funds={},
        originals={},
        rule_sets=history,
        now=datetime.combine(TODAY, datetime.min.time(), zone),
        parked_window=timedelta(weeks=10),
        zone=zone,
        earning=earning,
    )
    playing = Play(programme, facts, of_receipts, programme.tiers)
    for document in documents:
        playing.decide(document)
    return playing


def totals(played: Play) -> dict[str, Any]:
    """What came of it, for people and for the comparison."""
    awards = [one for one in played.decisions if isinstance(one, Awarded)]
    returns = [one for one in played.decisions if isinstance(one, ClawedBack)]
    by_rule: Counter[str] = Counter()
    by_partner: Counter[str] = Counter()
    by_type: Counter[str] = Counter()
    by_payer: Counter[str] = Counter()
    of_member: Counter[UUID] = Counter()
    for award in awards:
        of_member[award.owner_id] += award.evaluation.points
        by_partner[award.document.till[0]] += award.evaluation.points
        by_rule.update({one.rule_id: one.points for one in award.evaluation.applied})
        for payer, points in _paid_by_others(award):
            by_payer[payer] += points
        for part in award.evaluation.parts:
            by_type[part.point_type or "points"] += part.points
    rules = [rule.id for rule in played.programme.rule_set.rules]
    assert played.facts.earning is not None
    budgets = played.facts.earning.budgets_taken
    return {
        "members": len(of_member),
        "receipts": len(awards),
        "returns": len(returns),
        "others": dict(Counter(one.reason for one in played.decisions if isinstance(one, Refused | Parked))),
        "points": sum(of_member.values()),
        "points_by_type": dict(sorted(by_type.items())),
        "points_by_rule": {rule: by_rule[rule] for rule in rules},
        "points_by_partner": dict(sorted(by_partner.items())),
        "points_paid_by_others": dict(sorted(by_payer.items())),
        "points_taken_back": sum(one.points for one in returns),
        "most_of_one_member": max(of_member.values()),
        "receipts_that_were_capped": sum(any(one.trims for one in award.evaluation.applied) for award in awards),
        "budgets_used": {name: {"points": used.points, "receipts": used.receipts} for name, used in budgets.items()},
        "tiers": dict(sorted(Counter(one.tier for one in played.standings.values()).items())),
        "changes_of_tiers": dict(sorted(played.changes.items())),
    }


def _paid_by_others(award: Awarded) -> Iterator[tuple[str, int]]:
    """What a campaign's payers pay for, to the last point; all else is paid by the partner that issued it."""
    for part in award.parts:
        funding = part.key.terms.funding
        if funding is not None:
            shares = shares_of([weight for _, weight in funding.payers], part.points)
            yield from zip((payer for payer, _ in funding.payers), shares, strict=True)


def purchases_of(documents: Sequence[Document]) -> list[PurchaseData]:
    """The purchases among them."""
    return [one.event.data for one in documents if isinstance(one.event.data, PurchaseData)]


if __name__ == "__main__":
    for name in NAMES:
        text = json.dumps(totals(play(Programme(name))), indent=2) + "\n"
        (PROGRAMMES / name / "totals.json").write_text(text)
