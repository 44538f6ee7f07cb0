"""How many records the next batch may have."""

RECORDS_WORTHWHILE = 50
GROWTH_PERCENT = 10
AIM_PERCENT = 80  # of the ceiling: near enough, and room for a batch that is slower than the one before


class BatchSize:
    """A number of records that shrinks at once and grows slowly, up to ``records_max``.

    A handler that holds locks tells how long after each batch (``observe``): above ``hold_seconds_max`` the size
    shrinks to what would have stayed below it with some room, by half at most; well below it grows. Below
    ``RECORDS_WORTHWHILE`` a batch costs about the same however small it is, so slow locks alone (a machine that is
    overloaded) never make it smaller: throughput would collapse just then. A batch that timed out halves it further,
    down to 1.
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
        aim_seconds = self.hold_seconds_max * AIM_PERCENT / 100
        if hold_seconds > self.hold_seconds_max:
            fitting = int(self._records * aim_seconds / hold_seconds)
            smallest = min(self._records, RECORDS_WORTHWHILE)
            self._records = max(fitting, self._records // 2, smallest)
        elif hold_seconds < aim_seconds:
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
