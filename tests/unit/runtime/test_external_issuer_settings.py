"""External issuers in the settings: what is good, and what ends the start with a sentence for people."""

import json
from typing import Any

import pytest

from shared.runtime.settings import InvalidSettingsError, ServiceSettings, load_settings
from shared.web.external_issuers import EXTERNAL_ISSUERS_MAX

VARIABLE = "TESSERA_EXTERNAL_ISSUERS"
GOOD: dict[str, Any] = {
    "issuer": "https://id.corp.example/realms/staff",
    "audience": "tessera-staff",
    "algorithms": ["RS256"],
    "prefix": "corp",
    "roles_claim": ["realm_access", "roles"],
    "roles": {"managers": "programme_manager", "shops": "partner_user"},
    "partner_claim": "partner",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ServiceSettings.model_fields:
        monkeypatch.delenv(f"TESSERA_{name.upper()}", raising=False)
    monkeypatch.setenv("TESSERA_DATABASE_URL", "postgresql://x:y@127.0.0.1:5432/tessera")
    monkeypatch.setenv("TESSERA_KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9092")
    monkeypatch.setenv("TESSERA_IDENTIFIER_KEY", "0a" * 32)
    return monkeypatch


def loaded(environment: pytest.MonkeyPatch, *issuers: dict[str, Any]) -> ServiceSettings:
    environment.setenv(VARIABLE, json.dumps(issuers))
    return load_settings(ServiceSettings)


def other(**changes: Any) -> dict[str, Any]:
    """A second issuer beside the good one."""
    return GOOD | {"issuer": "https://id.other.example", "prefix": "other"} | changes


def test_there_are_none_unless_they_are_named() -> None:
    assert load_settings(ServiceSettings).external_issuers == ()


def test_several_are_read(environment: pytest.MonkeyPatch) -> None:
    local = other(issuer="http://127.0.0.1:8080", roles_claim="groups", algorithms=["ES256", "Ed25519"])
    first, second = loaded(environment, GOOD, local).external_issuers
    assert (first.roles_claim, first.roles["shops"], second.roles_claim) == (
        ("realm_access", "roles"),
        "partner_user",
        ("groups",),
    )


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"issuer": "http://id.corp.example"}, "in 0.issuer: it must be an https:// address"),
        ({"issuer": "http://127.0.0.1.corp.example"}, "in 0.issuer: it must be an https:// address"),
        ({"issuer": "ftp://id.corp.example"}, "in 0.issuer: it must be an https:// address"),
        ({"issuer": "https://"}, "in 0.issuer: it must be an https:// address"),
        ({"issuer": "https://anna:hunter2@id.corp.example"}, "in 0.issuer: it must be an https:// address"),
        ({"issuer": "https://id.corp.example:port"}, "in 0.issuer: it must be an https:// address"),
        ({"issuer": "https://id.corp.example/\nx"}, "in 0.issuer: it must be an https:// address"),
        ({"issuer": "https://id.corp.example?a=b"}, "in 0.issuer: it must be an address without ?"),
        ({"audience": ""}, "in 0.audience: "),
        ({"algorithms": []}, "in 0.algorithms: "),
        ({"algorithms": ["none"]}, "in 0.algorithms: Input should be 'RS256'"),
        ({"algorithms": ["RS256", "HS256"]}, "in 0.algorithms: Input should be 'RS256'"),
        ({"algorithms": ["RS512"]}, "in 0.algorithms: Input should be 'RS256'"),
        ({"prefix": ""}, "in 0.prefix: "),
        ({"prefix": "Corp"}, "in 0.prefix: "),
        ({"prefix": "a:b"}, "in 0.prefix: "),
        ({"prefix": "a" * 17}, "in 0.prefix: "),
        ({"roles_claim": []}, "in 0.roles_claim: "),
        ({"roles": {}}, "in 0.roles: "),
        ({"roles": {"hunter2": "emperor"}}, "in 0.roles: Input should be 'programme_manager'"),
        ({"partner_claim": None}, "in 0: partner_claim and the role partner_user go together"),
        ({"roles": {"managers": "approver"}}, "in 0: partner_claim and the role partner_user go together"),
        ({"hunter2": "x"}, "in 0: Extra inputs are not permitted"),
    ],
)
def test_what_is_wrong_is_named_with_its_place_and_not_repeated(
    environment: pytest.MonkeyPatch, changes: dict[str, Any], told: str
) -> None:
    with pytest.raises(InvalidSettingsError) as refused:
        loaded(environment, GOOD | changes)
    assert str(refused.value).startswith(f"{VARIABLE}: {told}")
    assert "hunter2" not in str(refused.value)


def test_what_is_missing_is_named(environment: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidSettingsError, match=r"TESSERA_EXTERNAL_ISSUERS: in 0\.audience: Field required"):
        loaded(environment, {name: value for name, value in GOOD.items() if name != "audience"})


@pytest.mark.parametrize(
    ("second", "told"),
    [
        (other(prefix="corp"), "two of them have the same prefix"),
        (other(issuer=GOOD["issuer"]), "two of them have the same issuer"),
        (other(issuer=GOOD["issuer"] + "/"), "two of them have the same issuer"),
        (other(issuer="https://ID.corp.example:443/realms/staff"), "two of them have the same issuer"),
        (other(issuer="https://tessera.invalid"), "one of them is TESSERA_TOKEN_ISSUER"),
    ],
)
def test_issuers_that_could_be_taken_for_one_another_are_refused(
    environment: pytest.MonkeyPatch, second: dict[str, Any], told: str
) -> None:
    with pytest.raises(InvalidSettingsError, match=f"^{VARIABLE}: {told}"):
        loaded(environment, GOOD, second)


def test_they_are_bounded(environment: pytest.MonkeyPatch) -> None:
    many = [
        other(issuer=f"https://id{number}.example", prefix=f"p{number}") for number in range(EXTERNAL_ISSUERS_MAX + 1)
    ]
    with pytest.raises(InvalidSettingsError, match=f"^{VARIABLE}: "):
        loaded(environment, *many)


@pytest.mark.parametrize("value", ["[hunter2", "hunter2", '{"hunter2": 1}', '["hunter2"]'])
def test_what_is_no_list_of_issuers_is_told(environment: pytest.MonkeyPatch, value: str) -> None:
    environment.setenv(VARIABLE, value)
    with pytest.raises(InvalidSettingsError) as refused:
        load_settings(ServiceSettings)
    (line,) = str(refused.value).splitlines()
    assert line.startswith(f"{VARIABLE}: ")
    assert "hunter2" not in line
