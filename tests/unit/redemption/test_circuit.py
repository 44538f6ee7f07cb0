"""A neighbour that does not answer is asked once in a while, and nobody waits for it meanwhile."""

import asyncio

from services.redemption.gateways.circuit import AWAY_SECONDS, FAILURES_IN_A_ROW_MAX, Circuit, NeighbourAwayError


class Line:
    """A circuit whose time the test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.circuit = Circuit("accrual", lambda: self.seconds)

    def call(self, error: BaseException | None = None) -> str:
        try:
            with self.circuit.call(ConnectionError, asyncio.CancelledError):
                if error is not None:
                    raise error
        except NeighbourAwayError:
            return "not asked"
        except (ConnectionError, asyncio.CancelledError):
            return "no answer"
        except ValueError:
            return "refused"
        return "answered"


def test_it_opens_after_failures_in_a_row_and_an_answer_closes_it() -> None:
    line = Line()
    failures = [ConnectionError(), asyncio.CancelledError()] * FAILURES_IN_A_ROW_MAX
    assert [line.call(error) for error in failures[: FAILURES_IN_A_ROW_MAX - 1]] == ["no answer"] * 4
    assert line.call() == "answered"  # the row is broken
    assert [line.call(error) for error in failures[:FAILURES_IN_A_ROW_MAX]] == ["no answer"] * 5
    assert line.call() == "not asked"
    line.seconds = AWAY_SECONDS
    assert [line.call(ConnectionError()), line.call()] == ["no answer", "not asked"]  # one call found out
    line.seconds = 2 * AWAY_SECONDS
    assert [line.call(), line.call()] == ["answered", "answered"]


def test_a_refusal_is_an_answer() -> None:
    line = Line()
    assert {line.call(ValueError()) for _ in range(2 * FAILURES_IN_A_ROW_MAX)} == {"refused"}
    for _ in range(FAILURES_IN_A_ROW_MAX):
        line.call(ConnectionError())
    line.seconds = AWAY_SECONDS
    assert [line.call(ValueError()), line.call()] == ["refused", "answered"]
