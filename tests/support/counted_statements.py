"""What a transaction sends to the server, statement by statement, from BEGIN to COMMIT."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.driver_doors import heard_at_the_doors

BEGINNINGS, ENDS = ("begin",), ("commit", "rollback")


class Statements:
    """Statements by connection, in the order in which they were sent."""

    def __init__(self) -> None:
        self._sent: dict[int, list[str]] = defaultdict(list)

    def add(self, connection: object, statement: str) -> None:
        """A statement goes out."""
        self._sent[id(connection)].append(" ".join(statement.lower().rstrip("; ").split()))

    def of_transaction_with(self, fragment: str) -> list[str]:
        """The statements between BEGIN and COMMIT of the only transaction of which one has this in it."""
        found = [one for one in self._transactions() if any(fragment in statement for statement in one)]
        (only,) = found
        return only

    def _transactions(self) -> Iterator[list[str]]:
        for sent in self._sent.values():
            inside: list[str] | None = None
            for statement in sent:
                if statement.startswith(BEGINNINGS):
                    inside = []
                elif statement.startswith(ENDS) and inside is not None:
                    yield inside
                    inside = None
                elif inside is not None:
                    inside.append(statement)


@contextmanager
def counted_statements(monkeypatch: pytest.MonkeyPatch) -> Iterator[Statements]:
    """Write down every round trip of every connection of this process, however it was asked for."""
    statements = Statements()
    with heard_at_the_doors(monkeypatch, statements.add):
        yield statements
