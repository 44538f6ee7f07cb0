"""Where a cap on the balance was decided by what had been read, and the ledger found more there under its lock."""

from shared.database.errors import StartAgainError


class BalanceMovedError(StartAgainError):
    """A capped balance has risen since it was read: something was released, refunded, given or adjusted meanwhile.

    The ledger gave only what still fits, which is not what was decided. Decided again, award, counters and trace say
    what is really given.
    """

    def __init__(self) -> None:
        super().__init__("a capped balance has risen since it was read")
