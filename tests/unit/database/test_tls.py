"""TLS to PostgreSQL: what the URL says reaches the driver, and nothing of it is left in the URL."""

import ssl
from typing import Any

import pytest

from shared.database import Database, engine, migrate
from shared.database.tls import InvalidTlsError, engine_arguments
from tests.support.certificates import Certificates

URL = "postgresql://tessera_members:hunter2@db:5432/tessera"


def test_verify_full_checks_signer_and_name(certificates: Certificates) -> None:
    for query in ("sslmode=verify-full&", ""):  # an authority without a mode is meant seriously
        url, arguments = engine_arguments(f"{URL}?{query}sslrootcert={certificates.authority}&application_name=x")
        context = arguments["ssl"]
        assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
        assert len(context.get_ca_certs()) == 1
        assert (dict(url.query), url.host, url.drivername) == ({"application_name": "x"}, "db", "postgresql+asyncpg")


@pytest.mark.parametrize(
    ("mode", "verified", "named"),
    [("verify-ca", ssl.CERT_REQUIRED, False), ("require", ssl.CERT_NONE, False)],
)
def test_lesser_modes_check_less(mode: str, verified: ssl.VerifyMode, named: bool) -> None:
    _, arguments = engine_arguments(f"{URL}?sslmode={mode}")
    assert (arguments["ssl"].verify_mode, arguments["ssl"].check_hostname) == (verified, named)


@pytest.mark.parametrize("mode", ["disable", "allow", "prefer"])
def test_modes_without_verification_are_the_drivers(mode: str) -> None:
    assert engine_arguments(f"{URL}?sslmode={mode}")[1] == {"ssl": mode}


def test_a_url_without_a_word_on_tls_stays_as_it_is() -> None:
    url, arguments = engine_arguments(URL)
    assert (url.render_as_string(hide_password=False), arguments) == (URL.replace("://", "+asyncpg://"), {})


def test_our_own_certificate_is_shown(certificates: Certificates) -> None:
    _, arguments = engine_arguments(f"{URL}?sslcert={certificates.certificate}&sslkey={certificates.key}")
    assert arguments["ssl"].check_hostname


@pytest.mark.parametrize("query", ["sslmode=sometimes", "sslmode=prefer&sslrootcert=/ca.pem"])
def test_what_cannot_be_meant_is_refused_and_not_repeated(query: str) -> None:
    with pytest.raises(InvalidTlsError) as refused:
        engine_arguments(f"{URL}?{query}")
    assert "hunter2" not in str(refused.value)
    assert "/ca.pem" not in str(refused.value)


async def test_it_reaches_the_services_engine_and_the_migrations(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Any] = []

    class EngineMadeError(Exception):
        pass

    def make(*_: object, **arguments: Any) -> None:
        given.append(arguments["connect_args"]["ssl"])
        raise EngineMadeError

    monkeypatch.setattr(engine, "create_async_engine", make)
    monkeypatch.setattr(migrate, "create_async_engine", make)
    with pytest.raises(EngineMadeError):
        Database(f"{URL}?sslmode=verify-full")
    with pytest.raises(EngineMadeError):
        await migrate.migrate(f"{URL}?sslmode=verify-full", {})
    assert [context.check_hostname for context in given] == [True, True]
