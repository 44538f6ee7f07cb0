"""The till's conversation on a broken line: what arrives, in which order, and where it must end.

What a till sends: ``hold``, ``capture`` and ``void`` over HTTP; ``receipt``, ``undo`` (the void of the receipt) and
``return`` (of all its goods) as events. ``expiry`` is time: the hold's life passes, and everything on the topic has
been read. After the last message it passes in any case.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

STATED = Path(__file__).with_name("broken_line.txt")

Conversation = tuple[str, ...]

CONVERSATIONS: tuple[Conversation, ...] = (
    ("hold", "void"),  # no sale
    ("hold", "capture", "receipt"),  # a sale
    ("hold", "capture", "receipt", "undo"),  # a sale, voided afterwards
    ("hold", "receipt", "return"),  # a sale, all of whose goods come back
    ("hold", "capture", "void", "receipt"),  # no answer to the capture: the till lets the hold go, and sells
)


@dataclass(frozen=True)
class Fault:
    """What the line does to one message, or to two of them."""

    kind: str  # lost, doubled (once more after all others), late (past the hold's end), swapped
    place: int
    other: int = -1


def all_faults(conversation: Conversation) -> list[Fault]:
    """Each message lost, doubled and late; each two swapped."""
    places = range(len(conversation))
    alone = [Fault(kind, place) for kind in ("lost", "doubled", "late") for place in places]
    return [*alone, *(Fault("swapped", *two) for two in combinations(places, 2))]


def arrivals(conversation: Conversation, faults: Iterable[Fault]) -> Conversation:
    """What arrives, in its order; ``expiry`` stands where the hold's life passes before something that is late."""
    found = set(faults)
    order = list(range(len(conversation)))
    for fault in sorted((one for one in found if one.kind == "swapped"), key=lambda one: (one.place, one.other)):
        order[fault.place], order[fault.other] = order[fault.other], order[fault.place]
    in_time: list[str] = []
    again: list[str] = []
    late: list[str] = []
    for place in order:
        kinds = {fault.kind for fault in found if fault.place == place}
        if "lost" not in kinds:
            (late if "late" in kinds else in_time).append(conversation[place])
        if "doubled" in kinds:
            again.append(conversation[place])
    return (*in_time, *again, "expiry", *late) if late else (*in_time, *again)


def every_arrival() -> list[Conversation]:
    """Of every conversation: as it should go, with each fault, and with each two of them."""
    found: dict[Conversation, None] = {}
    for conversation in CONVERSATIONS:
        faults = all_faults(conversation)
        for chosen in [(), *((fault,) for fault in faults), *combinations(faults, 2)]:
            found.setdefault(arrivals(conversation, chosen))
    return sorted(found, key=lambda arrived: (len(arrived), arrived))


@dataclass(frozen=True)
class Row:
    """One line of the table: what arrives, what is answered to each, and the end. Of lots: what is left in the one that
    expires first, and in the other one."""

    arrived: Conversation
    answers: tuple[str, ...]
    state: str
    taken: int
    available: int
    held: int
    lots: tuple[int, int]
    exceptions: tuple[str, ...]
    events: tuple[str, ...]

    def written(self) -> str:
        """As the table has it."""
        fields = (
            " ".join(self.arrived) or "-",
            " ".join(self.answers) or "-",
            self.state,
            str(self.taken),
            str(self.available),
            str(self.held),
            "+".join(map(str, self.lots)),
            " ".join(self.exceptions) or "-",
            " ".join(self.events) or "-",
        )
        return " | ".join(fields)

    @classmethod
    def read(cls, written: str) -> "Row":
        """From the table."""
        arrived, answers, state, taken, available, held, lots, exceptions, events = written.split(" | ")
        first, second = lots.split("+")
        return cls(
            _words(arrived),
            _words(answers),
            state,
            int(taken),
            int(available),
            int(held),
            (int(first), int(second)),
            _words(exceptions),
            _words(events),
        )


def _words(written: str) -> tuple[str, ...]:
    return () if written == "-" else tuple(written.split())


def stated_rows() -> list[Row]:
    """The table."""
    return [Row.read(line) for line in STATED.read_text().splitlines() if line and not line.startswith("#")]
