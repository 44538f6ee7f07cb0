from shared.events.catalogue import CATALOGUE
from shared.kafka import KafkaSettings
from shared.kafka.topics import DEAD_LETTER_BYTES_MAX, SUBSCRIBERS, dead_letter_topic, declared_topics, retry_topic


def test_every_topic_has_a_retry_and_a_dead_letter_topic_for_each_reader() -> None:
    declared = {topic.name: topic for topic in declared_topics(12)}
    for events in CATALOGUE:
        assert declared[events.topic].partitions == 12
        for service in SUBSCRIBERS[events.topic]:
            letters = declared[dead_letter_topic(events.topic, service)]
            retries = declared[retry_topic(events.topic, service)]
            assert (letters.retention_days, retries.retention_days) == (90, 7)
            assert letters.record_bytes_max == retries.record_bytes_max == DEAD_LETTER_BYTES_MAX
    assert len(declared) == len(CATALOGUE) + 2 * sum(map(len, SUBSCRIBERS.values()))
    assert declared["loyalty.purchases"].retention_days == 30
    assert declared["loyalty.points"].retention_days == 90


def test_the_prefix_is_seen_on_the_broker_only() -> None:
    settings = KafkaSettings("broker:9092", "programme.")
    assert settings.wire_name("loyalty.points") == "programme.loyalty.points"
    assert settings.topic_of("programme.loyalty.points") == "loyalty.points"
