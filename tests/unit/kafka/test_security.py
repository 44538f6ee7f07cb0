"""TLS and SASL: what the settings say reaches every client of the broker."""

import ssl
from pathlib import Path
from typing import Any

import pytest

from shared.kafka import ConsumerLimits, EventProducer, KafkaSettings
from shared.kafka import membership as membership_module
from shared.kafka import producer as producer_module
from shared.kafka import topics as topics_module
from shared.kafka.membership import Membership
from shared.kafka.positions import Positions
from shared.kafka.security import InvalidSecurityError, KafkaSecurity
from shared.kafka.topics import create_topics
from tests.support.certificates import Certificates

SASL = {"protocol": "SASL_SSL", "username": "tessera", "password": "hunter2"}


class ClientMadeError(Exception):
    """Instead of connecting."""


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What each client was made with; none is."""
    arguments: list[dict[str, Any]] = []

    def make(*_: object, **given: Any) -> None:
        arguments.append(given)
        raise ClientMadeError

    monkeypatch.setattr(producer_module, "AIOKafkaProducer", make)
    monkeypatch.setattr(membership_module, "AIOKafkaConsumer", make)
    monkeypatch.setattr(topics_module, "AIOKafkaAdminClient", make)
    return arguments


async def make_each(settings: KafkaSettings) -> None:
    with pytest.raises(ClientMadeError):
        await EventProducer(settings).start()
    positions = Positions(settings.topic_of)
    membership = Membership(settings, "accrual", "accrual-1", "loyalty.points", lambda: None, positions)
    with pytest.raises(ClientMadeError):
        membership._new_client(ConsumerLimits())
    with pytest.raises(ClientMadeError):
        await create_topics(settings)


async def test_account_and_verified_tls_reach_consumer_producer_and_administrator(
    made: list[dict[str, Any]], certificates: Certificates
) -> None:
    security = KafkaSecurity(**SASL, ca_file=str(certificates.authority))  # type: ignore[arg-type]
    await make_each(KafkaSettings("kafka:9093", security=security))
    assert len(made) == 3
    for given in made:
        assert given["bootstrap_servers"] == "kafka:9093"
        assert (given["security_protocol"], given["sasl_mechanism"]) == ("SASL_SSL", "SCRAM-SHA-512")
        assert (given["sasl_plain_username"], given["sasl_plain_password"]) == ("tessera", "hunter2")
        assert given["ssl_context"].verify_mode is ssl.CERT_REQUIRED
        assert given["ssl_context"].check_hostname
        assert len(given["ssl_context"].get_ca_certs()) == 1


async def test_without_security_there_is_none(made: list[dict[str, Any]]) -> None:
    await make_each(KafkaSettings("kafka:9092"))
    assert {given["security_protocol"] for given in made} == {"PLAINTEXT"}
    assert not any("ssl_context" in given or "sasl_mechanism" in given for given in made)


def test_our_own_certificate_is_shown(certificates: Certificates) -> None:
    security = KafkaSecurity(
        protocol="SSL", certificate_file=str(certificates.certificate), key_file=str(certificates.key)
    )
    assert isinstance(security.client_arguments()["ssl_context"], ssl.SSLContext)


@pytest.mark.parametrize(
    "wrong",
    [
        {"protocol": "SASL_SSL"},
        {"protocol": "SASL_SSL", "username": "tessera"},
        {"protocol": "TLS"},
        {"mechanism": "GSSAPI"},
        {"protocol": "SSL", "key_file": "/key.pem"},
    ],
)
def test_what_contradicts_itself_is_refused_and_not_repeated(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidSecurityError) as refused:
        KafkaSecurity(**wrong)
    assert "/key.pem" not in str(refused.value)


def test_the_password_does_not_show() -> None:
    settings = KafkaSettings("kafka:9093", security=KafkaSecurity(**SASL))  # type: ignore[arg-type]
    assert "hunter2" not in repr(settings)


def test_commands_read_the_same_variables(tmp_path: Path) -> None:
    security = KafkaSecurity.of_environment(
        {
            "TESSERA_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "TESSERA_KAFKA_SASL_MECHANISM": "PLAIN",
            "TESSERA_KAFKA_USERNAME": "tessera",
            "TESSERA_KAFKA_PASSWORD": "hunter2",
            "TESSERA_KAFKA_CA_FILE": str(tmp_path / "ca.pem"),
        }
    )
    assert security == KafkaSecurity("SASL_SSL", "PLAIN", "tessera", "hunter2", str(tmp_path / "ca.pem"))
    assert KafkaSecurity.of_environment({}) == KafkaSecurity()
