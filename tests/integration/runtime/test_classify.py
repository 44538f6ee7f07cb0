"""What real errors of a real database mean for the records that caused them."""

from collections.abc import Callable

import pytest
from sqlalchemy import text

from shared.database import Database, engine
from shared.database.roles import SERVICE_LIMITS
from shared.kafka import Failure, PermanentError, TransientError
from shared.runtime.failures import classify
from tests.support.databases import FreshDatabase


@pytest.fixture
def database(database_of: Callable[[str], Database]) -> Database:
    return database_of("members")


async def failure_of(database: Database, *statements: str, raw: bool = True) -> Failure:
    """What the last of these statements means when it fails in a transaction."""
    try:
        async with database.transaction() as transaction:
            for statement in statements:
                if raw:
                    await transaction.raw.execute(statement)
                else:
                    await transaction.connection.execute(text(statement))
    except Exception as error:  # noqa: BLE001 -- whatever it is, it is to be classified
        return classify(error)
    raise AssertionError("nothing failed")


@pytest.mark.parametrize("raw", [True, False], ids=["asyncpg", "SQLAlchemy"])
@pytest.mark.parametrize(
    ("statements", "failure"),
    [
        pytest.param(("select 1 / 0",), Failure.PERMANENT, id="a data exception"),
        pytest.param(("insert into idempotency default values",), Failure.PERMANENT, id="a null where none may be"),
        pytest.param(("select nowhere",), Failure.TRANSIENT, id="a schema that is behind"),
        pytest.param(
            ("set local statement_timeout = '20ms'", "select pg_sleep(5)"), Failure.TIMEOUT, id="a slow statement"
        ),
        pytest.param(("select pg_terminate_backend(pg_backend_pid())",), Failure.TRANSIENT, id="a lost connection"),
    ],
)
async def test_what_an_error_means(
    database: Database, statements: tuple[str, ...], failure: Failure, raw: bool
) -> None:
    assert await failure_of(database, *statements, raw=raw) is failure


@pytest.mark.parametrize("raw", [True, False], ids=["asyncpg", "SQLAlchemy"])
async def test_a_transaction_that_the_server_cut_off_took_too_long(
    fresh_database: FreshDatabase, monkeypatch: pytest.MonkeyPatch, raw: bool
) -> None:
    """The driver sees a lost connection: what tells them apart is how long the transaction lasted."""
    monkeypatch.setattr(engine, "TRANSACTION_SECONDS_MAX", 0.05)
    one_connection = Database(fresh_database.url("tessera_members"), connections_max=1)
    async with one_connection.transaction() as transaction:  # it holds from the connection's next transaction on
        await transaction.raw.execute("set transaction_timeout = '50ms'")

    assert await failure_of(one_connection, "select pg_sleep(5)", raw=raw) is Failure.TIMEOUT
    await one_connection.close()


def test_the_bound_on_transactions_is_that_of_the_roles() -> None:
    assert SERVICE_LIMITS["transaction_timeout"] == f"{engine.TRANSACTION_SECONDS_MAX:.0f}s"


async def test_a_database_that_is_away_is_waited_for() -> None:
    nowhere = Database("postgresql://nobody:x@127.0.0.1:1/none")

    assert await failure_of(nowhere, "select 1") is Failure.TRANSIENT


async def test_a_wrong_password_is_waited_for_like_an_outage(fresh_database: FreshDatabase) -> None:
    """Somebody may be changing it: no record is to blame."""
    stranger = Database(fresh_database.url("tessera_members").replace("tessera_members:", "tessera_members:x"))

    assert await failure_of(stranger, "select 1") is Failure.TRANSIENT


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (PermanentError("no"), Failure.PERMANENT),
        (TransientError("later"), Failure.TRANSIENT),
        (KeyError("a bug"), Failure.TRANSIENT),
        (ExceptionGroup("both", [KeyError("a"), PermanentError("b")]), Failure.PERMANENT),
    ],
)
def test_what_handlers_raise(error: Exception, failure: Failure) -> None:
    assert classify(error) is failure
