"""The story on the screen."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from cli.demo.story import Story

STATEMENT_LINES_SHOWN = 10
CASES_SHOWN = 5
GAPS_SHOWN = 5


def show(console: Console, story: Story) -> None:
    """Tell the story."""
    _show_pace(console, story)
    _show_points(console, story)
    _show_conversation(console, story)
    _show_member(console, story)
    _show_receipt(console, story.receipt)
    _show_held(console, story)
    if story.mail:
        title = f"One of {story.mails:,} e-mails: “{story.mail['subject']}” to {story.mail['to']}"
        console.print(Panel(story.mail["text"], title=title, title_align="left"), highlight=False)
    _show_gaps(console, story.gaps)
    _show_ledger(console, story.ledger)


def _show_pace(console: Console, story: Story) -> None:
    console.print()
    console.print(
        f"[bold]{story.receipts:,} receipts[/bold] of {story.baskets:,} baskets of a published household panel,"
        f" for {story.members:,} members; beside them {story.synthetic_returns} returns and"
        f" {story.synthetic_swipes} receipts of a fraudulent cashier, both synthetic."
    )
    console.print(
        f"[bold]{story.purchases_per_second:,.0f} purchases/s[/bold] from the door to the ledger;"
        f" a receipt posted alone beside them had its points after {story.delay_ms_p50:.0f} ms"
        f" (median; 99%: {story.delay_ms_p99:.0f} ms)."
    )
    what = ", ".join(f"{count:,} {outcome.replace('_', ' ')}" for outcome, count in sorted(story.outcomes.items()))
    console.print(f"What became of them: {what}.")
    console.print(
        f"{story.credited_after_registration} receipts had waited for cards that were registered after the play; they"
        " are credited now."
    )


def _show_gaps(console: Console, gaps: dict[str, Any]) -> None:
    console.print(
        f"{gaps['withheld']} receipts of Corner Grocer were kept back on purpose. The gap report finds"
        f" [bold]{gaps['missing']} numbers[/bold] that never came: "
        + ("exactly these." if gaps["is_exact"] else "[red]others than these.[/red]")
    )
    table = Table("store", "till", "business date", "shift", "received", "missing")
    for shift in gaps["shifts"][:GAPS_SHOWN]:
        runs = ", ".join(_run(run["first"], run["last"]) for run in shift["missing"])
        received = f"{shift['received_count']} of {shift['received_count'] + shift['missing_count']}"
        table.add_row(shift["store_id"], shift["till_id"], shift["business_date"], str(shift["shift"]), received, runs)
    console.print(table)


def _run(first: int, last: int) -> str:
    return str(first) if first == last else f"{first} to {last}"


def _show_points(console: Console, story: Story) -> None:
    table = Table(title=f"{story.points_earned:,} points earned, {story.points_clawed_back:,} taken back for returns")
    table.title_justify = "left"
    table.add_column("partner or rule")
    table.add_column("points", justify="right")
    for name, points in sorted(story.points_by_partner.items()):
        table.add_row(name, f"{points:,}")
    table.add_section()
    for name, points in sorted(story.points_by_rule.items()):
        table.add_row(name, f"{points:,}")
    console.print(table)


def _show_conversation(console: Console, story: Story) -> None:
    words = "\n".join(f"[bold]{what}[/bold]: {told}." for what, told in story.conversation)
    console.print(Panel(words, title="A till's conversation", title_align="left"), highlight=False)


def _show_member(console: Console, story: Story) -> None:
    balance = story.balance
    spent = story.spending
    console.print(
        f"Points were spent: {spent['captured']} holds captured by the till, {spent['captured by receipt']} by"
        f" a receipt paid with points, {spent['let go']} let go; {spent['too few points']} members had too few."
    )
    table = Table(
        title=f"One member's statement: {balance['available']:,} available, {balance['held']:,} held,"
        f" {balance['pending']:,} pending, {balance['debt']:,} owed",
        title_justify="left",
    )
    table.add_column("when")
    table.add_column("what")
    table.add_column("points", justify="right")
    table.add_column("available", justify="right")
    for line in story.statement[:STATEMENT_LINES_SHOWN]:
        after = line.get("available_after")
        table.add_row(
            str(line["at"])[:19], line["text"], f"{line['points']:+,}", f"{after:,}" if after is not None else ""
        )
    console.print(table)
    statements = story.statements
    wrong = statements["disagreeing"]
    verdict = f"[red]{len(wrong)} do not: {', '.join(wrong[:5])}[/red]" if wrong else "every one adds up to its balance"
    console.print(f"Statements of {statements['members']:,} members, {statements['lines']:,} lines: {verdict}.")


def _show_receipt(console: Console, receipt: Mapping[str, Any]) -> None:
    words = "\n".join(receipt.get("trace_in_words", ()))
    title = f"One receipt, and why it earned {receipt['award']['points']:,} points"
    console.print(Panel(words, title=title, title_align="left"), highlight=False)


def _show_held(console: Console, story: Story) -> None:
    console.print(
        f"[bold]Fraud[/bold] holds {story.held_points:,} points of {story.held_awards} awards, in {len(story.cases)}"
        " cases. The synthetic cashier is among them:"
    )
    table = Table("case", "rule", "partner", "receipts", "state")
    for case in story.cases[:CASES_SHOWN]:
        table.add_row(case["case_id"], case["rule_code"], case["partner_id"], str(case["receipts"]), case["state"])
    console.print(table)


def _show_ledger(console: Console, ledger: Mapping[str, Any]) -> None:
    verdict = "[green]the ledger adds up[/green]" if ledger["is_sound"] else "[red]the ledger does not add up[/red]"
    console.print(
        f"[bold]Verified[/bold]: {verdict}. Recomputed from {ledger['transfers']:,} transfers: {ledger['accounts']:,}"
        f" accounts, {ledger['lots']:,} lots, {ledger['holds']:,} holds; debits equal credits; {ledger['findings']}"
        " amounts disagree."
    )
