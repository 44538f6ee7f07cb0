"""The secrets of a stack: made once, kept in one file that only its owner reads."""

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from joserfc.jwk import OKPKey
from pydantic import BaseModel, ConfigDict, ValidationError

from deploy.local.errors import StackError
from shared.database.roles import SERVICES, reader_name, role_name

PASSWORD_BYTES = 24
IDENTIFIER_KEY_BYTES = 32
MASTER_KEY_BYTES = 32
QR_KEY_BYTES = 32
VOUCHER_KEY_BYTES = 32
CONTENT_KEY_BYTES = 32
CODE_KEY_BYTES = 32
CLIENTS = ("admin", "approver", "members", "notifications", "redemption")


class StackSecrets(BaseModel):
    """Everything secret that a stack needs. Whoever has this file has the programme."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    admin_password: str
    role_passwords: Mapping[str, str]
    identifier_key: str
    master_keys: str
    qr_keys: str
    voucher_keys: str
    content_keys: str
    code_keys: str
    signing_key: str
    client_secrets: Mapping[str, str]

    @classmethod
    def generated(cls) -> "StackSecrets":
        """New ones from the system's source of randomness."""
        roles = [name(service) for service in SERVICES for name in (role_name, reader_name)]
        signing_key = OKPKey.generate_key("Ed25519", {"use": "sig", "alg": "EdDSA"}, private=True, auto_kid=True)
        return cls(
            admin_password=secrets.token_urlsafe(PASSWORD_BYTES),
            role_passwords={role: secrets.token_urlsafe(PASSWORD_BYTES) for role in roles},
            identifier_key=secrets.token_hex(IDENTIFIER_KEY_BYTES),
            master_keys=f"1:{secrets.token_hex(MASTER_KEY_BYTES)}",
            qr_keys=f"1:{secrets.token_hex(QR_KEY_BYTES)}",
            voucher_keys=f"1:{secrets.token_hex(VOUCHER_KEY_BYTES)}",
            content_keys=f"1:{secrets.token_hex(CONTENT_KEY_BYTES)}",
            code_keys=f"1:{secrets.token_hex(CODE_KEY_BYTES)}",
            signing_key=json.dumps(signing_key.as_dict(private=True)),
            client_secrets={client: secrets.token_urlsafe(PASSWORD_BYTES) for client in CLIENTS},
        )


def load_or_make_secrets(path: Path) -> StackSecrets:
    """The stack's secrets; made at the first call, the same ever after. One that is new in this version is added."""
    if not path.exists():
        _write(path, StackSecrets.generated())
    elif (grown := _with_new_secrets(path)) is not None:
        _write(path, grown)
    return load_secrets(path)


def _with_new_secrets(path: Path) -> StackSecrets | None:
    """What an older version left, with what it did not know; None where nothing is missing or nothing can be read."""
    try:
        kept = json.loads(path.read_bytes())
        new = StackSecrets.generated().model_dump(mode="json")
        kept_clients = kept.get("client_secrets", {})
        if new.keys() <= kept.keys() and set(CLIENTS) <= kept_clients.keys():
            return None
        grown = new | kept | {"client_secrets": new["client_secrets"] | kept_clients}
        return StackSecrets.model_validate(grown)
    except (ValueError, AttributeError):
        return None  # load_secrets says what is wrong


def _write(path: Path, made: StackSecrets) -> None:
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(made.model_dump_json(indent=2))
    partial.rename(path)


def load_secrets(path: Path) -> StackSecrets:
    """The secrets of a stack that was started before."""
    try:
        return StackSecrets.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise StackError(f"No stack has been started here yet: {path} is not there. Start one with: make up") from None
    except ValidationError as error:
        raise StackError(
            f"{path} cannot be read: {error.errors()[0]['msg']}.\n"
            "Put a good copy back, or remove the whole folder to start from nothing."
        ) from error
