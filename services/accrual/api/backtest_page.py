"""A backtest's report as one page: tables with plots beside them, in plain HTML. Pure; whatever was said is escaped."""

from collections.abc import Iterable, Sequence
from html import escape

from services.accrual.api.backtest_plots import HATCH, Pair, bars_plot, lines_plot
from services.accrual.schemas.backtest_report import (
    Approximation,
    BacktestReport,
    ComparedReport,
    SpreadReport,
)

PLOTTED_MAX = 15
NO_TIER = "without a tier"

_STYLE = """
:root { color-scheme: light dark; --ground: #ffffff; --text: #1c2330; --quiet: #5a6473; --rule: #d5dae2;
  --awarded: #5a6473; --drafted: #0b62c4; --more: #14713c; --less: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ground: #14181f; --text: #e6e9ee; --quiet: #a3adbb; --rule: #333c4a;
  --awarded: #a3adbb; --drafted: #6cb2ff; --more: #6fd59a; --less: #ff9d94; } }
body { background: var(--ground); color: var(--text); font: 15px/1.5 system-ui, sans-serif; margin: 0 auto;
  max-width: 60rem; padding: 1.5rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin: 2.2rem 0 0.5rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; }
caption { text-align: left; color: var(--quiet); padding-bottom: 0.3rem; }
th, td { text-align: right; padding: 0.25rem 0.6rem; border-bottom: 1px solid var(--rule); }
th:first-child { text-align: left; } tbody th { font-weight: normal; }
.more { color: var(--more); } .less { color: var(--less); }
svg { display: block; width: 100%; height: auto; margin: 0.6rem 0; font: 11px system-ui, sans-serif; }
svg text { fill: var(--text); } .grid { stroke: var(--rule); }
.line { fill: none; stroke-width: 2; } .line.awarded { stroke: var(--awarded); }
.line.drafted { stroke: var(--drafted); stroke-dasharray: 6 3; }
rect.awarded, circle.awarded { fill: var(--awarded); } circle.drafted { fill: var(--drafted); }
rect.drafted { fill: url(#hatch); stroke: var(--drafted); }
.defs { position: absolute; width: 0; height: 0; margin: 0; }
.hatch-ground { fill: var(--ground); } .hatch-line { stroke: var(--drafted); stroke-width: 5; }
.legend span { margin-right: 1.5rem; } .legend .solid { border-bottom: 3px solid var(--awarded); }
.legend .dashed { border-bottom: 3px dashed var(--drafted); }
li, .quiet { color: var(--quiet); }
@media print { body { max-width: none; } }
"""

_APPROXIMATIONS: dict[Approximation, str] = {
    "caps_begin_with_nothing_used": "Caps and budgets that no version in force had begin with nothing used.",
    "counters_from_before_the_period_as_they_stand_now": (
        "What members had bought before the period, where rules did not ask for it then, counts as it stands now."
    ),
    "unknown_balance_caps_nothing": "A cap on the balance is left out where rules in force had none.",
    "tiers_as_they_were": "Members have the tiers that they had; the draft's points change none.",
    "partners_left_out": "Receipts of other partners are taken as they were awarded.",
    "sample": "Only a sample of the members is judged; budgets are not scaled to it.",
}

_COMPARED = ("", "Awarded", "Came back", "Left", "Draft", "Came back", "Left", "Difference", "Cost difference")


def backtest_page(report: BacktestReport) -> str:
    """The whole page."""
    title = f"Backtest, {report.from_date} to {report.until_date}"
    sections = (
        _head(report),
        _total(report),
        _days(report),
        _section("By rule", [(_rule_name(one.name, one.point_type), one) for one in report.rules], report),
        _section("By partner", [(one.name or "", one) for one in report.partners_compared], report),
        _section("By tier", [(one.name or NO_TIER, one) for one in report.tiers], report),
        _section("By store", [(f"{one.partner_id} {one.store_id}", one) for one in report.stores], report),
        _members(report),
        _caps(report),
        _budgets(report),
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body>{HATCH}<main><h1>{escape(title)}</h1>{''.join(sections)}</main></body></html>"
    )


def _head(report: BacktestReport) -> str:
    said = [
        (
            f"Rule set {report.rule_set_id}, revision {report.rule_set_revision}, on {report.receipts:,} receipts that"
            f" were decided by {report.decided_until:%Y-%m-%d %H:%M} UTC. Points are {report.point_type}; costs are in"
            f" {report.currency}."
        ),
    ]
    if report.partners:
        said.append(f"Partners: {', '.join(report.partners)}.")
    if report.not_judged:
        said.append(f"{report.not_judged:,} receipts could not be judged by it and are in no sum.")
    notes = "".join(f"<li>{escape(_APPROXIMATIONS[one])}</li>" for one in report.approximations)
    words = "".join(f"<p>{escape(one)}</p>" for one in said)
    legend = '<p class="legend"><span class="solid">awarded</span><span class="dashed">draft</span></p>'
    return words + (f"<ul>{notes}</ul>" if notes else "") + legend


def _total(report: BacktestReport) -> str:
    return f"<h2>In all</h2>{_compared_table('Points in all', [('All receipts', report.total)], report)}"


def _days(report: BacktestReport) -> str:
    if not report.days:
        return ""
    pairs = [Pair(f"{one.day}", one.awarded.net_points, one.drafted.net_points) for one in report.days]
    plot = lines_plot("Points by day, awarded and draft", pairs)
    return f"<h2>By day</h2>{plot}{_compared_table('By day', [(f'{one.day}', one) for one in report.days], report)}"


def _section(title: str, rows: Sequence[tuple[str, ComparedReport]], report: BacktestReport) -> str:
    if not rows:
        return ""
    pairs = [Pair(name, one.awarded.net_points, one.drafted.net_points) for name, one in rows[:PLOTTED_MAX]]
    plot = bars_plot(f"Points {title.lower()}, awarded and draft", pairs)
    return f"<h2>{escape(title)}</h2>{plot}{_compared_table(title, rows, report)}"


def _members(report: BacktestReport) -> str:
    members = report.members
    said = (
        f"Of {members.members:,} members {members.winners.members:,} have more"
        f" ({members.winners.net_points_difference:+,} points), {members.losers.members:,} less"
        f" ({members.losers.net_points_difference:+,}), and {members.unchanged:,} the same."
    )
    tenths = [
        (f"{number} of 10", (_tenth(members.winners, number), _tenth(members.losers, number)))
        for number in range(1, 11)
    ]
    table = _table(
        "By how much at most, a tenth of the members after the other",
        ("Members", "Winners", "Losers"),
        [(name, *(_signed(points) for points in both)) for name, both in tenths],
    )
    return f"<h2>Winners and losers</h2><p>{escape(said)}</p>{table}{_foremost(members.winners, members.losers)}"


def _tenth(spread: SpreadReport, number: int) -> int | None:
    return spread.tenths[number - 1] if spread.tenths else None


def _foremost(winners: SpreadReport, losers: SpreadReport) -> str:
    shown = [*(winners.foremost or ()), *(losers.foremost or ())]
    if not shown:
        return ""
    rows = [(escape(str(one.member_id)), _signed(one.net_points_difference)) for one in shown]
    return _table("Whose points change most", ("Member", "Difference"), rows)


def _caps(report: BacktestReport) -> str:
    if not report.caps:
        return ""
    rows = [(escape(f"{one.rule_id}: {one.cap}"), f"{one.receipts:,}", f"{one.points:,}") for one in report.caps]
    return f"<h2>Caps that left less</h2>{_table('Of the draft', ('Cap', 'Receipts', 'Points taken'), rows)}"


def _budgets(report: BacktestReport) -> str:
    if not report.budgets:
        return ""
    rows = [
        (escape(one.name), f"{one.points:,}", _most(one.points_max), f"{one.receipts:,}", _most(one.receipts_max))
        for one in report.budgets
    ]
    columns = ("Campaign", "Points given", "At most", "Receipts", "At most")
    return f"<h2>Budgets</h2>{_table('Given in the period by the draft', columns, rows)}"


def _compared_table(caption: str, rows: Sequence[tuple[str, ComparedReport]], report: BacktestReport) -> str:
    cells = [
        (
            escape(name),
            f"{one.awarded.points:,}",
            f"{one.awarded.taken_back:,}",
            f"{one.awarded.net_points:,}",
            f"{one.drafted.points:,}",
            f"{one.drafted.taken_back:,}",
            f"{one.drafted.net_points:,}",
            _signed(one.net_points_difference),
            f"{one.cost_difference:+,.2f}",
        )
        for name, one in rows
    ]
    return _table(f"{caption}: {report.point_type}", _COMPARED, cells)


def _table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Cells are HTML already."""
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    body = "".join(
        f'<tr><th scope="row">{name}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>' for name, *cells in rows
    )
    return (
        f'<div class="wide" role="region" aria-label="{escape(caption)}" tabindex="0"><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _signed(points: int | None) -> str:
    if not points:
        return "none" if points is None else "0"
    return f'<span class="{"more" if points > 0 else "less"}">{points:+,}</span>'


def _most(limit: int | None) -> str:
    return "none" if limit is None else f"{limit:,}"


def _rule_name(name: str, point_type: str | None) -> str:
    return name if point_type is None else f"{name} ({point_type})"
