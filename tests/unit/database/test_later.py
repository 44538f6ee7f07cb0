"""Composing statements: every argument keeps its place."""

from shared.database.later import Write, dense, write_together


class Recorded:
    """A connection that executes nothing."""

    def __init__(self) -> None:
        self.executed: list[tuple[object, ...]] = []

    async def execute(self, *what: object) -> None:
        self.executed.append(what)


async def test_writes_become_one_statement_with_all_their_arguments() -> None:
    connection = Recorded()
    writes = [
        Write("insert into a values ($2, $1)", (1, 2), ("c as (insert into b values ($1))",)),
        Write("insert into d values ($1)", (3,)),
        Write("insert into e values ($1, $1)", (4,)),
    ]

    await write_together(connection, [])  # type: ignore[arg-type]
    await write_together(connection, writes[2:])  # type: ignore[arg-type]
    await write_together(connection, writes)  # type: ignore[arg-type]

    composed = (
        "with c as (insert into b values ($1)), later_1 as (insert into a values ($2, $1)),"
        " later_2 as (insert into d values ($3)) insert into e values ($4, $4)"
    )
    assert connection.executed == [("insert into e values ($1, $1)", 4), (composed, 1, 2, 3, 4)]


def test_a_statement_that_uses_some_parameters_is_given_those_alone() -> None:
    assert dense("a $3 b $12", "c $3 d $7") == (["a $1 b $3", "c $1 d $2"], (3, 7, 12))
