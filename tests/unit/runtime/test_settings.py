"""Settings: read from the environment, explained, and silent about secrets."""

import pytest

from shared.runtime.settings import InvalidSettingsError, ServiceSettings, load_settings

GOOD = {
    "TESSERA_DATABASE_URL": "postgresql://tessera_members:hunter2@127.0.0.1:5432/tessera",
    "TESSERA_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9092",
    "TESSERA_IDENTIFIER_KEY": "0a" * 32,
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ServiceSettings.model_fields:
        monkeypatch.delenv(f"TESSERA_{name.upper()}", raising=False)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_what_is_not_set_has_the_documented_default() -> None:
    settings = load_settings(ServiceSettings)

    assert (settings.http_host, settings.instance, settings.country) == ("127.0.0.1", 1, "US")
    assert (settings.currency, settings.time_zone, settings.point_type) == ("USD", "America/New_York", "points")
    assert settings.kafka.bootstrap_servers == "127.0.0.1:9092"
    assert settings.hashing_keys.present.secret == b"\x0a" * 32


def test_secrets_do_not_show() -> None:
    settings = load_settings(ServiceSettings)

    for shown in (repr(settings), str(settings), str(settings.model_dump()), settings.model_dump_json()):
        assert "hunter2" not in shown
        assert "0a0a" not in shown


def test_every_setting_is_explained() -> None:
    assert [name for name, field in ServiceSettings.model_fields.items() if not field.description] == []


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("TESSERA_DATABASE_URL", "mysql://x:hunter2@y/z"),
        ("TESSERA_IDENTIFIER_KEY", "hunter2"),
        ("TESSERA_HTTP_PORT", "70000"),
        ("TESSERA_HTTP_PORT", "hunter2"),
        ("TESSERA_INSTANCE", "0"),
        ("TESSERA_CURRENCY", "hunter2"),
        ("TESSERA_TIME_ZONE", "../../etc/hunter2"),
        ("TESSERA_COUNTRY", "usa"),
        ("TESSERA_JWKS_URL", "file:///hunter2"),
        ("TESSERA_TOPIC_PREFIX", "has space hunter2"),
        ("TESSERA_LOG_LEVEL", "hunter2"),
        ("TESSERA_DATABASE_URL", "postgresql://x:hunter2@y:port/z"),
        ("TESSERA_DATABASE_URL", "postgresql://x:hunter2@y/z?sslmode=sometimes"),
        ("TESSERA_DATABASE_URL", "postgresql://x:hunter2@y/z?sslrootcert=/nowhere/hunter2.pem"),
        ("TESSERA_KAFKA_SECURITY_PROTOCOL", "hunter2"),
    ],
)
def test_what_is_wrong_is_named_and_not_repeated(environment: pytest.MonkeyPatch, variable: str, value: str) -> None:
    environment.setenv(variable, value)

    with pytest.raises(InvalidSettingsError) as refused:
        load_settings(ServiceSettings)

    (line,) = str(refused.value).splitlines()
    assert line.startswith(f"{variable}: ")
    assert "hunter2" not in line


SECOND, SECOND_VERSION = "TESSERA_IDENTIFIER_KEY_SECOND", "TESSERA_IDENTIFIER_KEY_SECOND_VERSION"


def test_a_second_identifier_key_is_valid_beside_the_first(environment: pytest.MonkeyPatch) -> None:
    environment.setenv(SECOND, "0b" * 32)
    environment.setenv(SECOND_VERSION, "2")

    settings = load_settings(ServiceSettings)

    second = settings.hashing_keys.second
    assert second is not None
    assert (second.version, second.secret) == (2, b"\x0b" * 32)
    assert "0b0b" not in repr(settings)


@pytest.mark.parametrize(
    ("key", "version", "said"),
    [
        ("0b" * 32, None, "set both, or none"),
        (None, "2", "set both, or none"),
        ("0b" * 32, "1", "give the second a version of its own"),
        ("0a" * 32, "2", "make a new one"),
    ],
)
def test_a_second_identifier_key_is_another_one_of_another_version(
    environment: pytest.MonkeyPatch, key: str | None, version: str | None, said: str
) -> None:
    for name, value in ((SECOND, key), (SECOND_VERSION, version)):
        if value is not None:
            environment.setenv(name, value)

    with pytest.raises(InvalidSettingsError) as refused:
        load_settings(ServiceSettings)

    (line,) = str(refused.value).splitlines()
    assert line.startswith(SECOND)
    assert said in line
    assert "0a0a" not in line
    assert "0b0b" not in line


def test_an_account_at_the_broker_is_whole(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("TESSERA_KAFKA_SECURITY_PROTOCOL", "SASL_SSL")
    environment.setenv("TESSERA_KAFKA_PASSWORD", "hunter2")

    with pytest.raises(InvalidSettingsError) as refused:
        load_settings(ServiceSettings)

    assert "TESSERA_KAFKA_SECURITY_PROTOCOL" in str(refused.value)
    assert "user name" in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_a_file_that_cannot_be_read_ends_the_start(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("TESSERA_KAFKA_SECURITY_PROTOCOL", "SSL")
    environment.setenv("TESSERA_KAFKA_CA_FILE", "/nowhere/hunter2.pem")

    with pytest.raises(InvalidSettingsError) as refused:
        load_settings(ServiceSettings)

    assert "TESSERA_KAFKA_CA_FILE" in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_how_kafka_is_spoken_to_is_a_setting(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("TESSERA_KAFKA_SECURITY_PROTOCOL", "SASL_SSL")
    environment.setenv("TESSERA_KAFKA_USERNAME", "tessera")
    environment.setenv("TESSERA_KAFKA_PASSWORD", "hunter2")

    settings = load_settings(ServiceSettings)

    arguments = settings.kafka.client_arguments()
    assert (arguments["security_protocol"], arguments["sasl_plain_username"]) == ("SASL_SSL", "tessera")
    assert arguments["sasl_plain_password"] == "hunter2"
    assert "hunter2" not in repr(settings) + repr(settings.kafka)


def test_an_unknown_variable_is_somebody_elses(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("TESSERA_SMTP_HOST", "x")

    load_settings(ServiceSettings)
