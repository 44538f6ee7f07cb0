"""The worked examples of ``docs/rule-sets/examples``: each receipt earns what was worked out by hand, and says why."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from operator import attrgetter

import orjson
import pytest

from services.accrual.domain.award_parts import (
    KnownPart,
    after_return,
    earned_parts,
    every_part,
    points_kept,
    released_terms,
    take_back,
)
from services.accrual.domain.awarding_anew import FrozenAward, award_anew
from services.accrual.domain.category_mapping import UNMAPPED
from services.accrual.domain.correcting import PartNow, judge_anew, parts_then
from services.accrual.domain.earning_of_batch import EarningOfBatch
from services.accrual.domain.evaluation import evaluate_purchase, evaluate_what_is_kept
from services.accrual.domain.exchanged_goods import goods_taken, paid_in_all
from services.accrual.domain.point_words import in_points
from services.accrual.domain.returns import ClawBackPlan, plan_claw_back
from services.accrual.domain.stored_facts import facts_from_stored, facts_to_store
from services.accrual.domain.trace import trace_in_words
from services.accrual.measure_engine import facts_for, receipt, twenty_rules
from services.accrual.use_cases.save_decisions import stored_decision
from shared.ledger import ClawBack, Earn, Forgiving, LotTerms, Posted, SpendLate
from shared.ledger.payers import shares_of
from tests.support.ledger_memory import MemoryLedger
from tests.support.receipts import NOON, member, purchase, return_of
from tests.support.worked_examples import WorkedExample, exchange_as_told, lots_in_words, worked_examples

STORED_BYTES_MEANT = 500

every_example = pytest.mark.parametrize("example", worked_examples(), ids=attrgetter("name"))


@every_example
def test_a_receipt_earns_what_was_worked_out_by_hand(example: WorkedExample) -> None:
    evaluation = evaluate_purchase(example.receipt, example.rule_set, facts=example.facts)

    assert evaluation.points == example.award["points"]
    assert {one.rule_id: one.points for one in evaluation.applied} == example.award.get("by_rule", {})
    others = {part.point_type: part.points for part in evaluation.parts if part.point_type is not None}
    assert others == example.award.get("other_types", {})
    used = {one.name: one.points for one in evaluation.usage}
    assert used == example.award.get("used", {})


@pytest.mark.parametrize("example", [one for one in worked_examples() if "lots" in one.award], ids=attrgetter("name"))
def test_its_points_can_be_spent_from_and_until(example: WorkedExample) -> None:
    evaluation = evaluate_purchase(example.receipt, example.rule_set, facts=example.facts)

    assert lots_in_words(evaluation, example.facts.programme_zone) == example.award["lots"]


@every_example
def test_who_pays_for_its_points(example: WorkedExample) -> None:
    evaluation = evaluate_purchase(example.receipt, example.rule_set, facts=example.facts)
    parts = earned_parts(evaluation, earned_on(example))

    assert paid_by((part.key.terms, part.points) for part in parts) == example.award.get("paid_by", {})


@every_example
def test_its_trace_says_why(example: WorkedExample) -> None:
    evaluation = evaluate_purchase(example.receipt, example.rule_set, facts=example.facts)

    words = trace_in_words(evaluation, example.rule_set, example.receipt.currency)
    assert (words[0], words[-1]) == ("Judged by rule set 1.", f"In all: {in_points(example.award['points'])}.")
    assert tuple(words[1:-1]) == example.trace


@every_example
def test_what_is_stored_of_its_facts_tells_the_same_story_again(example: WorkedExample) -> None:
    evaluation = evaluate_purchase(example.receipt, example.rule_set, facts=example.facts)
    stored = orjson.loads(orjson.dumps(facts_to_store(example.facts, example.rule_set.needs)))

    again = evaluate_purchase(
        example.receipt, example.rule_set, facts=facts_from_stored(stored, example.rule_set.needs)
    )

    assert again.outcomes == evaluation.outcomes
    assert again.usage == evaluation.usage


@pytest.mark.parametrize("example", [one for one in worked_examples() if one.returns], ids=attrgetter("name"))
def test_returns_take_back_what_was_worked_out_by_hand(example: WorkedExample) -> None:
    awarded = evaluate_purchase(example.receipt, example.rule_set, facts=example.facts).points
    taken, returned = 0, dict[int, int]()
    for step in example.returns:
        lines = return_of(purchase(1, list(example.receipt.lines)), 2, step["lines"]).data.lines
        plan = plan_claw_back(
            example.receipt,
            example.rule_set,
            awarded_points=awarded,
            taken_back_points=taken,
            returned_before=returned,
            lines=lines,
            facts=example.facts,
        )
        assert isinstance(plan, ClawBackPlan)
        assert plan.points == step["takes_back"], step
        taken, returned = taken + plan.points, plan.returned_thousandths


LACKING = [one for one in worked_examples() if any("there" in step for step in one.returns)]


@pytest.mark.parametrize("example", LACKING, ids=attrgetter("name"))
def test_what_returns_cannot_take_is_owed_or_forgiven_as_was_worked_out_by_hand(example: WorkedExample) -> None:
    """On the ledger, as these rules ask it."""
    ledger, returned = MemoryLedger(), example.rule_set.returns
    terms, anna, lacked = LotTerms("grocer", NOON.date(), None), member(1), 0
    ledger.post([Earn(anna, "points", b"receipt", example.award["points"], terms)])
    for place, step in enumerate(example.returns):
        assert returned.forgive_below is not None
        forgiving = Forgiving(b"receipt", returned.forgive_below, lacked)
        if spent := ledger.balances()[anna, "points"].available - step["there"]:
            ledger.post([SpendLate(anna, "points", b"spent", spent, "fuel")])
        [outcome] = ledger.post(
            [
                ClawBack(
                    anna,
                    "points",
                    b"%d" % place,
                    step["takes_back"],
                    terms,
                    b"receipt",
                    returned.claw_back,
                    forgiving=forgiving,
                )
            ]
        )
        assert isinstance(outcome, Posted)
        owed = outcome.debt_added - outcome.debt_cleared
        assert (owed, outcome.shortfall) == (step["owed"], step["forgiven"]), step
        lacked += owed + outcome.shortfall


@pytest.mark.parametrize("example", [one for one in worked_examples() if one.exchange], ids=attrgetter("name"))
def test_an_exchange_takes_and_gives_what_was_worked_out_by_hand(example: WorkedExample) -> None:
    assert example.exchange is not None
    exchange, facts = exchange_as_told(example)
    awarded = evaluate_purchase(example.receipt, example.rule_set, facts=example.facts).points

    taken = plan_claw_back(
        example.receipt,
        example.rule_set,
        awarded_points=awarded,
        taken_back_points=0,
        returned_before={},
        lines=exchange.returned_lines,
        facts=example.facts,
    )
    paid_by = paid_in_all(exchange, example.receipt, {}, example.exchange["returned"])
    given = evaluate_purchase(goods_taken(exchange, paid_by), example.rule_set, facts=facts)

    assert isinstance(taken, ClawBackPlan)
    assert exchange.total_minor == example.exchange["net_minor"]
    assert (taken.points, given.points) == (example.exchange["takes_back"], example.exchange["gives"])
    assert paid_by == example.exchange.get("paid_in_all", paid_by)


@pytest.mark.parametrize(
    "example",
    [one for one in worked_examples() if any("takes_of" in step for step in one.returns)],
    ids=attrgetter("name"),
)
def test_returns_take_of_each_lot_what_was_worked_out_by_hand(example: WorkedExample) -> None:
    day = earned_on(example)
    awarded = earned_parts(evaluate_purchase(example.receipt, example.rule_set, facts=example.facts), day)
    parts = tuple(KnownPart(part.number, part.key, part.points, 0) for part in awarded)
    returned: dict[int, int] = {}
    for step in example.returns:
        returned = {line: returned.get(line, 0) + step["lines"].get(line, 0) for line in {*returned, *step["lines"]}}
        kept = evaluate_what_is_kept(example.receipt, example.rule_set, returned, facts=example.facts)
        taken = take_back(parts, points_kept(kept, day))
        assert {one.number: one.points for one in taken} == step["takes_of"], step
        parts = after_return(parts, taken)


def frozen_award(example: WorkedExample, returned_thousandths: Mapping[int, int]) -> FrozenAward:
    """The example's award as it stands, of which so much has come back."""
    return FrozenAward(
        natural_key=b"receipt",
        owner_id=member(1),
        purchase=example.receipt,
        rule_set=example.rule_set,
        categories=UNMAPPED,
        facts=example.facts,
        returned_thousandths=returned_thousandths,
        earned_on=earned_on(example),
    )


@pytest.mark.parametrize("example", [one for one in worked_examples() if one.corrections], ids=attrgetter("name"))
def test_corrections_move_what_was_worked_out_by_hand(example: WorkedExample) -> None:
    for one in example.corrections:
        frozen = frozen_award(example, one.said.get("returned", {}))
        judged = judge_anew(frozen, one.receipt, one.now)
        had = [PartNow(part.number, part.key, part.points) for part in every_part(judged.before, frozen.earned_on)]
        moved = {part.number: part.change for part in parts_then(had, judged, frozen)}

        assert judged.whole.points == one.said["points"], one.said
        assert sum(moved.values()) == one.said["moves"], one.said
        assert moved == one.said.get("moves_of", moved), one.said


@pytest.mark.parametrize("example", [one for one in worked_examples() if one.moved], ids=attrgetter("name"))
def test_moves_take_and_give_what_was_worked_out_by_hand(example: WorkedExample) -> None:
    for one in example.moved:
        frozen = frozen_award(example, one.said.get("returned", {}))
        earning = EarningOfBatch({frozen.natural_key: one.facts}, {}, {}, {}, {})
        anew = award_anew(frozen, member(2), example.facts.programme_zone, earning)
        assert (anew.kept.points, anew.given_points) == (one.said["takes"], one.said["gives"]), one.said


@pytest.mark.parametrize(
    "example", [one for one in worked_examples() if "released" in one.award], ids=attrgetter("name")
)
def test_what_an_event_releases_lasts_as_was_worked_out_by_hand(example: WorkedExample) -> None:
    said = example.award["released"]
    day = earned_on(example)
    part = earned_parts(evaluate_purchase(example.receipt, example.rule_set, facts=example.facts), day)[said["part"]]
    lot = released_terms(part.key.terms, date.fromisoformat(said["on"]), part.expiry)
    assert (str(lot.available_from), str(lot.expires_on)) == (said["on"], said["gone_on"])
    assert part.key.wait is not None
    assert str(part.key.wait.until - timedelta(days=1)) == said["last_day"]


@pytest.mark.parametrize("example", [one for one in worked_examples() if one.returns], ids=attrgetter("name"))
def test_who_pays_for_what_returns_leave(example: WorkedExample) -> None:
    day = earned_on(example)
    evaluation = evaluate_purchase(example.receipt, example.rule_set, facts=example.facts)
    parts = tuple(KnownPart(part.number, part.key, part.points, 0) for part in earned_parts(evaluation, day))
    returned = dict[int, int]()
    for step in example.returns:
        returned = {line: returned.get(line, 0) + step["lines"].get(line, 0) for line in {**returned, **step["lines"]}}
        kept = evaluate_what_is_kept(example.receipt, example.rule_set, returned, facts=example.facts)
        parts = after_return(parts, take_back(parts, points_kept(kept, day)))
        left = paid_by((part.key.terms, part.points - part.taken_back) for part in parts)
        assert left == step.get("paid_by", {}), step


def earned_on(example: WorkedExample) -> date:
    return example.receipt.occurred_at.astimezone(example.facts.programme_zone).date()


def paid_by(lots: Iterable[tuple[LotTerms, int]]) -> dict[str, int]:
    """What payers pay for, where others pay than the partner."""
    paid: Counter[str] = Counter()
    for terms, points in lots:
        if terms.funding is not None and points:
            shares = shares_of([weight for _, weight in terms.funding.payers], points)
            paid.update(dict(zip((payer for payer, _ in terms.funding.payers), shares, strict=True)))
    return dict(paid)


def test_nothing_is_kept_of_a_receipt_that_came_back_whole() -> None:
    for example in worked_examples():
        whole = {line.line_id: line.quantity_thousandths for line in example.receipt.lines}
        kept = evaluate_what_is_kept(example.receipt, example.rule_set, whole, facts=example.facts)
        assert kept.applied == (), example.name


def test_what_is_stored_with_an_award_stays_small() -> None:
    for example in worked_examples():
        evaluation = evaluate_purchase(example.receipt, example.rule_set, facts=example.facts)
        assert len(stored_decision(evaluation)) <= STORED_BYTES_MEANT, example.name
    twenty = twenty_rules()
    evaluation = evaluate_purchase(receipt(10), twenty, facts=facts_for(twenty))
    assert len(evaluation.applied) > 10
    assert len(stored_decision(evaluation)) <= STORED_BYTES_MEANT
