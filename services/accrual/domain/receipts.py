"""Whether a till's document adds up. Small deviations are tolerated, as the partner agreed, and counted."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from shared.faults import Fault


class Line(Protocol):
    """What the sums need of a line."""

    @property
    def line_id(self) -> int: ...
    @property
    def quantity(self) -> Decimal: ...
    @property
    def unit_price_minor(self) -> Decimal | None: ...
    @property
    def discount_minor(self) -> int: ...
    @property
    def amount_minor(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Sums:
    """The faults found, and how many sums were off within tolerance."""

    faults: tuple[Fault, ...]
    tolerated: int


def check_sums(
    lines: Sequence[Line],
    total_minor: int,
    tenders_minor: Sequence[int],
    line_tolerance_minor: int,
    receipt_tolerance_minor: int,
    returned_lines: Sequence[Line] = (),
) -> Sums:
    """Hold each line against its price, the lines against the total, and the tenders against the total.

    A line without a unit price, and a document without tenders, have nothing to be held against. What came back in an
    exchange (``returned_lines``) lowers what the lines add up to; tenders are positive whoever paid.
    """
    deviations = [
        *_line_deviations(lines, "lines", line_tolerance_minor),
        *_line_deviations(returned_lines, "returned_lines", line_tolerance_minor),
        _deviation(
            "/total_minor",
            "the lines, less those that came back, add up to" if returned_lines else "the lines add up to",
            sum(line.amount_minor for line in lines) - sum(line.amount_minor for line in returned_lines),
            total_minor,
            receipt_tolerance_minor,
        ),
    ]
    if tenders_minor:
        paid_minor = abs(total_minor) if returned_lines else total_minor
        deviations.append(
            _deviation("/tenders", "the tenders add up to", sum(tenders_minor), paid_minor, receipt_tolerance_minor)
        )
    faults = tuple(fault for fault, _ in deviations if fault is not None)
    return Sums(faults, sum(1 for fault, off in deviations if off and fault is None))


def check_line_ids(lines: Sequence[Line], returned_lines: Sequence[Line] = ()) -> list[Fault]:
    """Line ids name lines: each may stand once, among those that came back in an exchange too."""
    seen: set[int] = set()
    faults = []
    for place, some in (("lines", lines), ("returned_lines", returned_lines)):
        for index, line in enumerate(some):
            if line.line_id in seen:
                pointer = f"/{place}/{index}/line_id"
                faults.append(Fault(pointer, f"line {line.line_id} stands twice: number the lines"))
            seen.add(line.line_id)
    return faults


def _line_deviations(lines: Sequence[Line], place: str, tolerance_minor: int) -> Iterable[tuple[Fault | None, bool]]:
    for index, line in enumerate(lines):
        if line.unit_price_minor is None:
            continue
        expected = line.quantity * line.unit_price_minor - line.discount_minor
        off = abs(expected - line.amount_minor)
        # Rounding to whole minor units is no deviation: half a unit is what it may cost.
        if off <= Decimal("0.5"):
            continue
        if off <= tolerance_minor:
            yield None, True
        else:
            yield (
                Fault(
                    f"/{place}/{index}/amount_minor",
                    f"quantity times price less discount is {expected:f}, {line.amount_minor} was sent;"
                    f" at most {tolerance_minor} may differ",
                ),
                True,
            )


def _deviation(
    pointer: str, what: str, expected_minor: int, sent_minor: int, tolerance_minor: int
) -> tuple[Fault | None, bool]:
    off = abs(expected_minor - sent_minor)
    if off <= tolerance_minor:
        return None, off > 0
    return (
        Fault(pointer, f"{what} {expected_minor}, the total is {sent_minor}; at most {tolerance_minor} may differ"),
        True,
    )
