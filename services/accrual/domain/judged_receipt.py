"""One receipt while it is judged: what several rules ask of it is found once."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

from services.accrual.domain.earning_base import EarningBase
from services.accrual.domain.earning_facts import EarningFacts
from services.accrual.domain.rules.values import Zone
from shared.events.purchases import PurchaseData, PurchaseLine

# Whether a line is meant, given what it counts as in the programme's tree.
LineCheck: TypeAlias = Callable[[PurchaseLine, tuple[str, ...]], bool]
# What a member event says: codes, whole numbers, yes and no.
PayloadSaid: TypeAlias = Mapping[str, bool | int | str]
_NO_PAYLOAD: PayloadSaid = {}


class JudgedReceipt:
    """A purchase, what of it earns, and the facts; ``returned`` are quantities that came back, by line id."""

    __slots__ = ("_kept", "_local", "_matching", "base", "facts", "lines_of", "purchase", "returned")

    def __init__(
        self, purchase: PurchaseData, base: EarningBase, facts: EarningFacts, returned: Mapping[int, int]
    ) -> None:
        self.purchase = purchase
        self.base = base
        self.facts = facts
        self.returned = returned
        self.lines_of: Mapping[str, Sequence[int]] | None = None  # by category, of those that a plan's rules name
        self._kept: Sequence[int] | None = None
        self._local: dict[Zone, datetime] | None = None
        self._matching: dict[LineCheck, Sequence[int]] | None = None

    @property
    def payload(self) -> PayloadSaid:
        """What a member event says; a receipt has none."""
        return _NO_PAYLOAD

    def said(self, name: str) -> str | None:
        """What is said under a property of the payload, as rules name it."""
        value = self.payload.get(name)
        return str(value).lower() if isinstance(value, bool) else None if value is None else str(value)

    def number_said(self, name: str) -> int:
        """The whole number that is said under a property; 0 where none is."""
        value = self.payload.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else 0

    @property
    def kept(self) -> Sequence[int]:
        """How much of each line was kept, in thousandths of a unit, in the order of the lines."""
        if self._kept is None:
            lines, returned = self.purchase.lines, self.returned
            if returned:
                self._kept = [line.quantity_thousandths - returned.get(line.line_id, 0) for line in lines]
            else:
                self._kept = [line.quantity_thousandths for line in lines]
        return self._kept

    def local(self, zone: Zone) -> datetime:
        """The receipt's time on the clocks of a zone."""
        if self._local is None:
            self._local = {}
        found = self._local.get(zone)
        if found is None:
            found = self._local[zone] = self.purchase.occurred_at.astimezone(self.facts.zone(zone))
        return found

    def matching(self, check: LineCheck) -> Sequence[int]:
        """The lines that a check means, whether or not they earn."""
        if self._matching is None:
            self._matching = {}
        found = self._matching.get(check)
        if found is None:
            lines, paths = self.purchase.lines, self.base.categories
            found = self._matching[check] = [number for number, line in enumerate(lines) if check(line, paths[number])]
        return found

    def kept_lines(self, check: LineCheck | None) -> list[int]:
        """The lines that a check means (None: all) of which something was kept."""
        kept = self.kept
        numbers = range(len(kept)) if check is None else self.matching(check)
        return [number for number in numbers if kept[number] > 0]

    def kept_quantity(self, check: LineCheck | None) -> int:
        """How much was kept of these lines, in thousandths of a unit."""
        kept = self.kept
        return sum([kept[number] for number in self.kept_lines(check)])

    def amount_minor(self, check: LineCheck | None) -> int:
        """What earns of these lines."""
        if check is None:
            return self.base.total_minor
        amounts = self.base.amounts_minor
        return sum([amounts[number] for number in self.matching(check)])
