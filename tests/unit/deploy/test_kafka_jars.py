import pytest

from deploy.local.errors import StackError
from deploy.local.kafka_jars import refuse_mixed_versions

WHOLE = ["kafka_2.13-4.1.1.jar", "kafka-clients-4.1.1.jar", "kafka-server-common-4.1.1.jar", "slf4j-api-1.7.36.jar"]


def test_a_kafka_of_one_version_is_whole() -> None:
    refuse_mixed_versions(WHOLE)


@pytest.mark.parametrize("stray", ["kafka-clients-3.9.1.jar", "kafka-raft-4.1.0.jar"])
def test_a_jar_of_another_version_is_refused(stray: str) -> None:
    with pytest.raises(StackError, match=r"4\.1\.1"):
        refuse_mixed_versions([*WHOLE, stray])


def test_no_kafka_at_all_is_refused() -> None:
    with pytest.raises(StackError, match="none"):
        refuse_mixed_versions(["slf4j-api-1.7.36.jar"])
