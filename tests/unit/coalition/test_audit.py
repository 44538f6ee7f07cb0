"""What an act may say: facts, and never a secret."""

import pytest

from services.coalition.domain.audit import Act, SecretAuditedError, facts_of
from services.coalition.domain.registry import ApiClient, Till

CLIENT = ApiClient("pos", "acme", ("receipts:write",), "$argon2id$secret", is_revoked=False, version=3)
TILL = Till("acme", "main", "1", "sequence", "0f" * 32, is_revoked=False, version=1)


def test_facts_are_the_fields_without_secrets_and_digests() -> None:
    assert facts_of(CLIENT) == {
        "client_id": "pos", "partner_id": "acme", "scopes": ["receipts:write"], "is_revoked": False, "version": 3,
        "previous_valid_until": None, "roles": [], "rate_limit": None,
    }  # fmt: skip
    assert "0f0f" not in str(facts_of(TILL))


@pytest.mark.parametrize(
    "document", [{"secret_hash": "x"}, {"client": {"client_secret": "x"}}, {"tills": [{"key_sha256": "x"}]}]
)
def test_an_act_that_names_a_secret_is_a_fault(document: dict[str, object]) -> None:
    for sides in ({"before": document}, {"after": document}):
        with pytest.raises(SecretAuditedError):
            Act("admin", "client.changed", "pos", None, **sides)  # type: ignore[arg-type]


def test_facts_are_those_of_a_dataclass() -> None:
    with pytest.raises(TypeError):
        facts_of({"client_id": "pos"})
