"""How many records the next batch may have."""

RECORDS_WORTHWHILE = 50
GROWTH_PERCENT = 10
NEAR_CEILING_PERCENT = 70


class BatchSize:
    """A number of records that halves at once and grows slowly, up to ``records_max``.

    A handler that holds locks tells how long after each batch (``observe``): above ``hold_seconds_max`` the size
    halves, well below it grows. Below ``RECORDS_WORTHWHILE`` a batch costs about the same however small it is, so
    slow locks alone (a machine that is overloaded) never make it smaller: throughput would collapse just then. A
    batch that timed out halves it further, down to 1.
    """

    def __init__(self, records_max: int, hold_seconds_max: float | None = None) -> None:
        if records_max < 1:
            raise ValueError("a batch has room for one record at least")
        self.records_max = records_max
        self.hold_seconds_max = hold_seconds_max
        self._records = records_max

    @property
    def records(self) -> int:
        """The size now."""
        return self._records

    def observe(self, hold_seconds: float) -> None:
        """Locks were held this long for the last batch."""
        if self.hold_seconds_max is None:
            return
        if hold_seconds > self.hold_seconds_max:
            if self._records > RECORDS_WORTHWHILE:
                self._records = max(RECORDS_WORTHWHILE, self._records // 2)
        elif hold_seconds * 100 < self.hold_seconds_max * NEAR_CEILING_PERCENT:
            self._grow()

    def halve(self) -> None:
        """The last batch was too much."""
        self._records = max(1, self._records // 2)

    def succeeded(self) -> None:
        """The last batch went through. Without a ceiling on holds, that is reason enough to grow."""
        if self.hold_seconds_max is None:
            self._grow()

    def _grow(self) -> None:
        self._records = min(self.records_max, self._records + max(1, self._records * GROWTH_PERCENT // 100))
