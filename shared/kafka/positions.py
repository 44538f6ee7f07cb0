"""How far the assigned partitions have been handled, and up to which business time that is."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from aiokafka import TopicPartition

from shared.kafka.records import ReadPosition

SAMPLES_MAX = 120  # about one a second: a consumer further behind than this has no time to name


class Positions:
    """``handled`` is where reading would go on after a failure: the next offset of each partition not taken yet."""

    def __init__(self, topic_of: Callable[[str], str]) -> None:
        self._topic_of = topic_of
        self._samples: deque[tuple[datetime, Mapping[TopicPartition, int]]] = deque(maxlen=SAMPLES_MAX)
        self._told: dict[tuple[str, int], ReadPosition] = {}
        self.handled: dict[TopicPartition, int] = {}

    def forget(self) -> None:
        """The partitions were taken away."""
        self.handled.clear()
        self._told.clear()

    def sample(self, at: datetime, ends: Mapping[TopicPartition, int]) -> None:
        """Partitions ended here when they were asked, which was after ``at``. Newest first."""
        self._samples.appendleft((at, ends))

    def lag(self) -> int:
        """Records to go, as of the last sample."""
        ends = self._samples[0][1] if self._samples else {}
        return sum(max(0, ends.get(partition, 0) - offset) for partition, offset in self.handled.items())

    def news(self, next_offsets: Mapping[TopicPartition, int]) -> tuple[ReadPosition, ...]:
        """The positions among these that differ from what was told last."""
        found = (
            ReadPosition(self._topic_of(partition.topic), partition.partition, offset, self._at(partition, offset))
            for partition, offset in next_offsets.items()
        )
        return tuple(position for position in found if self._told.get(_place(position)) != position)

    def told(self, positions: Sequence[ReadPosition]) -> None:
        """A handler has saved these."""
        self._told.update((_place(position), position) for position in positions)

    def _at(self, partition: TopicPartition, next_offset: int) -> datetime | None:
        return next((at for at, ends in self._samples if ends.get(partition, next_offset + 1) <= next_offset), None)


def _place(position: ReadPosition) -> tuple[str, int]:
    return position.topic, position.partition
