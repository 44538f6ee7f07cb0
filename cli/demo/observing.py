"""What an onlooker sees on the topics: points by partner and rule, and what is held. Read from Kafka, for the story."""

import time
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.events.catalogue import POINTS
from shared.events.points import PointsClawedBack, PointsEarned, PointsPending, PointsReleased
from shared.kafka.settings import KafkaSettings

READ_SECONDS_MAX = 60.0


@dataclass(slots=True)
class PointsSeen:
    """Everything on ``loyalty.points``, added up."""

    events: int = 0
    earned: int = 0
    by_partner: dict[str, int] = field(default_factory=dict)
    by_rule: dict[str, int] = field(default_factory=dict)
    clawed_back: int = 0
    became_debt: int = 0
    held: list[PointsPending] = field(default_factory=list)
    released: int = 0

    def add(self, event: object) -> None:
        """Count one event."""
        self.events += 1
        match event:
            case PointsEarned(data=data):
                self.earned += data.points
                self.by_partner[data.partner_id] = self.by_partner.get(data.partner_id, 0) + data.points
                for rule in data.by_rule:
                    self.by_rule[rule.rule_id] = self.by_rule.get(rule.rule_id, 0) + rule.points
            case PointsClawedBack(data=data):
                self.clawed_back += data.points
                self.became_debt += data.became_debt
            case PointsPending():
                self.held.append(event)
            case PointsReleased(data=data):
                self.released += data.points
            case _:
                pass


async def read_points(settings: KafkaSettings) -> PointsSeen:
    """Read ``loyalty.points`` from its beginning to its present end."""
    seen = PointsSeen()
    consumer = AIOKafkaConsumer(**settings.client_arguments(), enable_auto_commit=False)
    await consumer.start()
    try:
        topic = settings.wire_name(POINTS.topic)
        partitions = [TopicPartition(topic, number) for number in range(settings.partitions)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        ends = await consumer.end_offsets(partitions)
        deadline = time.monotonic() + READ_SECONDS_MAX
        while time.monotonic() < deadline:
            behind = [partition for partition in partitions if await consumer.position(partition) < ends[partition]]
            if not behind:
                return seen
            for records in (await consumer.getmany(timeout_ms=500, max_records=5_000)).values():
                for record in records:
                    seen.add(POINTS.read(record.value))
        return seen
    finally:
        await consumer.stop()
