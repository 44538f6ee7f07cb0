"""What a partner's categories count as: at which time, by which version, and what rules make of it."""

from datetime import datetime, timedelta

from services.accrual.domain.category_mapping import (
    UNMAPPED,
    ExclusionVersion,
    MappingVersion,
    PartnerMapping,
    categories_at,
)
from services.accrual.domain.evaluation import NotMatched, evaluate_purchase
from services.accrual.domain.rules import Exclusions
from services.accrual.domain.trace import trace_in_words
from tests.support.receipts import NOON, RULES, changed_rules, line, purchase

LATER = NOON + timedelta(days=1)
FRUIT = ("PRODUCE", "fruit")
VERSIONS = (
    MappingVersion(1, "OBST", FRUIT, NOON),
    MappingVersion(2, "TABAK", ("tobacco",), NOON),
    MappingVersion(3, "OBST", ("other",), LATER),
    MappingVersion(4, "TABAK", (), LATER),
)


def test_a_category_counts_as_what_is_in_force_at_the_receipts_time() -> None:
    mapping = PartnerMapping(VERSIONS)

    before, then, later = (categories_at(mapping, moment) for moment in (NOON - timedelta(seconds=1), NOON, LATER))
    found = [categories.paths_of(["OBST"]) for categories in (before, then, later)]
    assert found == [(("OBST",),), (FRUIT,), (("other",),)]
    assert [categories.paths_of(["TABAK"]) for categories in (then, later)] == [(("tobacco",),), (("TABAK",),)]
    assert then.paths_of(["BROT", None, "OBST"]) == (("BROT",), (), FRUIT)


def test_what_was_declared_after_the_decision_does_not_count_for_it() -> None:
    mapping = PartnerMapping([*VERSIONS, MappingVersion(5, "OBST", ("corrected",), NOON)])

    assert categories_at(mapping, NOON).paths_of(["OBST"]) == (("corrected",),)
    assert categories_at(mapping, NOON, version=4).paths_of(["OBST"]) == (FRUIT,)
    assert categories_at(mapping, NOON, version=0) == categories_at(None, NOON) == UNMAPPED


def test_what_comes_after_a_hole_waits_until_it_is_filled() -> None:
    with_hole = PartnerMapping([VERSIONS[2], VERSIONS[0], VERSIONS[3]])

    assert (with_hole.version, with_hole.path_of("OBST", LATER, 9)) == (1, FRUIT)
    assert PartnerMapping(VERSIONS[::-1]).version == 4


def test_a_rule_for_a_category_counts_for_what_is_below_it() -> None:
    categories = categories_at(PartnerMapping(VERSIONS), NOON)
    bought = purchase(1, [line(1, 1000, "BROT"), line(2, 500, "OBST")]).data

    evaluation = evaluate_purchase(bought, RULES, categories)

    assert (evaluation.points, evaluation.base.mapping_version) == (20, 4)  # 15, and 5 more for what is produce
    assert evaluate_purchase(bought, RULES).points == 15


def test_an_excluded_category_leaves_out_what_is_below_it() -> None:
    rules = changed_rules(exclusions=Exclusions(categories=("tobacco",)))
    categories = categories_at(PartnerMapping(VERSIONS), NOON)
    bought = purchase(1, [line(1, 1000, "BROT"), line(2, 500, "TABAK")]).data

    evaluation = evaluate_purchase(bought, rules, categories)

    assert evaluation.points == 10
    unmet = [outcome for outcome in evaluation.outcomes if isinstance(outcome, NotMatched)]
    assert [outcome.observed for outcome in unmet] == ["BROT, tobacco"]


def test_an_excluded_article_earns_nothing_by_the_version_and_at_the_time_of_the_receipt() -> None:
    said = [ExclusionVersion(5, "1", True, NOON), ExclusionVersion(6, "1", False, LATER)]
    mapping = PartnerMapping([*VERSIONS, *said])

    def excluded(moment: datetime, version: int | None = None) -> frozenset[str]:
        return categories_at(mapping, moment, version).excluded_of(["1", "2"])

    assert [excluded(moment) for moment in (NOON - timedelta(seconds=1), NOON, LATER)] == [set(), {"1"}, set()]
    assert excluded(NOON, 4) == set()  # it was said after the receipt was decided
    assert PartnerMapping([*VERSIONS, said[1]]).version == 4  # what comes after a hole waits


def test_lines_of_excluded_articles_leave_the_base_and_the_trace_says_so() -> None:
    bought = purchase(1, [line(1, 1000, "BROT"), line(2, 500, "BROT")]).data
    sku = bought.lines[1].sku
    bought = bought.model_copy(update={"lines": (bought.lines[0].model_copy(update={"sku": "bread"}), bought.lines[1])})
    categories = categories_at(PartnerMapping([ExclusionVersion(1, sku, True, NOON)]), NOON)

    evaluation = evaluate_purchase(bought, RULES, categories)

    assert (evaluation.points, evaluation.base.amounts_minor, evaluation.base.mapping_version) == (10, (1000, 0), 1)
    told = trace_in_words(evaluation, RULES, "USD")
    assert f"Articles that their partner excluded earn nothing: {sku}." in told
