"""Which versions of the ledger's tables this code works with."""

from typing import cast

from shared.database.engine import RawConnection

SUPPORTED_VERSIONS = frozenset({8})


class UnsupportedLedgerError(RuntimeError):
    """The ledger's tables have a version that this code does not work with, or are not there yet."""


async def check_version(connection: RawConnection) -> int:
    """The version of the ledger's tables, for a readiness check.

    Raises:
        UnsupportedLedgerError: this code does not work with it; the message says what to do.
    """
    version = cast("int | None", await connection.fetchval("select max(version) from ledger_version"))
    if version not in SUPPORTED_VERSIONS:
        supported = ", ".join(map(str, sorted(SUPPORTED_VERSIONS)))
        raise UnsupportedLedgerError(
            f"the ledger has version {version}, this service works with {supported}: run `tessera migrate`, or roll"
            " services and migrations that belong together"
        )
    return version
