import json
import stat
from pathlib import Path

import pytest
from joserfc.jwk import OKPKey

from deploy.local.compose_secrets import env_file
from deploy.local.errors import StackError
from deploy.local.stack_secrets import StackSecrets, load_or_make_secrets, load_secrets


def test_secrets_are_made_once_for_their_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    made = load_or_make_secrets(path)
    assert load_or_make_secrets(path) == made
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_every_secret_differs() -> None:
    secrets = StackSecrets.generated()
    passwords = [secrets.admin_password, *secrets.role_passwords.values(), *secrets.client_secrets.values()]
    assert len(set(passwords)) == len(passwords) == 1 + 12 + 5
    assert len(bytes.fromhex(secrets.identifier_key)) == 32
    assert len(bytes.fromhex(secrets.master_keys.removeprefix("1:"))) == 32
    assert OKPKey.import_key(json.loads(secrets.signing_key)).is_private


def test_a_secret_that_is_new_in_this_version_is_added_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    older = load_or_make_secrets(path).model_dump(mode="json")
    del older["master_keys"]
    path.write_text(json.dumps(older))
    grown = load_or_make_secrets(path)
    assert grown.model_dump(mode="json") == older | {"master_keys": grown.master_keys}
    assert load_or_make_secrets(path) == grown
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_client_that_is_new_in_this_version_is_added_too(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    older = load_or_make_secrets(path).model_dump(mode="json")
    del older["client_secrets"]["members"]
    path.write_text(json.dumps(older))
    grown = load_or_make_secrets(path)
    assert {**grown.client_secrets} == older["client_secrets"] | {"members": grown.client_secrets["members"]}
    assert load_or_make_secrets(path) == grown


def test_without_a_stack_it_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="make up"):
        load_secrets(tmp_path / "secrets.json")


def test_a_broken_file_is_no_traceback(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    path.write_text("{")
    with pytest.raises(StackError, match=str(path)):
        load_secrets(path)


def test_the_env_file_has_every_secret_that_the_example_leaves_empty() -> None:
    example = (Path(__file__).resolve().parents[3] / ".env.example").read_text().splitlines()
    wanted = {line.removesuffix("=") for line in example if line.endswith("=") and not line.startswith("#")}
    made = {line.partition("=")[0] for line in env_file(StackSecrets.generated()).splitlines()}
    assert wanted <= made
