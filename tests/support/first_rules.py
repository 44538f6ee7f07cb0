"""How the first release judged receipts, kept as an oracle: what was published then gives the same points for ever.

Written over again from that release, on plain documents, and sharing no code with the service.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

Document = Mapping[str, Any]


class FirstLine(NamedTuple):
    """A line as the first release saw it; ``path`` is what it counts as, from the root of the tree down."""

    amount_minor: int
    kept_thousandths: int
    quantity_thousandths: int
    path: tuple[str, ...]


def first_points(
    rule_set: Document, partner_id: str, lines: Sequence[FirstLine], tenders: Sequence[tuple[str, int]]
) -> list[tuple[str, int]]:
    """The rules that gave points, in order, with the points."""
    amounts = _amounts(rule_set, lines, tenders)
    denominator = 100 * math.lcm(
        1, *(rule["effect"]["step_minor"] for rule in rule_set["rules"] if "step_minor" in rule["effect"])
    )
    given = [0] * len(lines)
    applied = []
    for kind in ("points_per_amount", "multiplier"):
        for rule in rule_set["rules"]:
            if rule["effect"]["kind"] != kind:
                continue
            condition = rule.get("condition", {})
            if condition.get("partners") and partner_id not in condition["partners"]:
                continue
            wanted = set(condition.get("categories", ()))
            matching = [number for number, line in enumerate(lines) if not wanted or wanted & set(line.path)]
            if sum(amounts[number] for number in matching) == 0:
                continue
            if kind == "points_per_amount":
                per_minor = rule["effect"]["points"] * (denominator // rule["effect"]["step_minor"])
                for number in matching:
                    given[number] += amounts[number] * per_minor
                exact = sum(amounts[number] for number in matching) * per_minor
            else:
                exact = sum(given[number] for number in matching) * (rule["effect"]["percent"] - 100) // 100
                if exact == 0:
                    continue
            half = denominator if rule.get("rounding", "floor") == "half_up" else 0
            applied.append((rule["id"], (2 * exact + half) // (2 * denominator)))
    return applied


def _amounts(rule_set: Document, lines: Sequence[FirstLine], tenders: Sequence[tuple[str, int]]) -> list[int]:
    exclusions = rule_set.get("exclusions", {})
    kinds = exclusions.get("tenders", ("points",))
    whole = sum(line.amount_minor for line in lines)
    amounts = [line.amount_minor * line.kept_thousandths // line.quantity_thousandths for line in lines]
    paid = min(whole, sum(amount for kind, amount in tenders if kind in kinds))
    left_out = paid * sum(amounts) // whole if whole else 0
    kept = sum(amounts)
    if left_out:
        parts = [left_out * amount // kept for amount in amounts]
        order = sorted(range(len(lines)), key=lambda number: (-(left_out * amounts[number] % kept), number))
        for number in order[: left_out - sum(parts)]:
            parts[number] += 1
        amounts = [amount - part for amount, part in zip(amounts, parts, strict=True)]
    never = set(exclusions.get("categories", ()))
    return [0 if never & set(line.path) else amount for line, amount in zip(lines, amounts, strict=True)]
