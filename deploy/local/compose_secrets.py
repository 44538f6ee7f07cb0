"""Fresh secrets as the ``.env`` file that docker-compose.yml wants."""

from deploy.local.clients import bootstrap_clients
from deploy.local.stack_secrets import StackSecrets
from shared.database.roles import SERVICES, reader_name, role_name


def env_file(secrets: StackSecrets) -> str:
    """The file's lines: every secret of ``.env.example``, quoted so that compose takes the value as it stands."""
    values = {"TESSERA_POSTGRES_PASSWORD": secrets.admin_password}
    for service in SERVICES:
        values[f"TESSERA_PASSWORD_{service.upper()}"] = secrets.role_passwords[role_name(service)]
        values[f"TESSERA_PASSWORD_{service.upper()}_READER"] = secrets.role_passwords[reader_name(service)]
    values |= {
        "TESSERA_IDENTIFIER_KEY": secrets.identifier_key,
        "TESSERA_MASTER_KEYS": secrets.master_keys,
        "TESSERA_QR_KEYS": secrets.qr_keys,
        "TESSERA_VOUCHER_KEYS": secrets.voucher_keys,
        "TESSERA_CONTENT_KEYS": secrets.content_keys,
        "TESSERA_CODE_KEYS": secrets.code_keys,
        "TESSERA_SIGNING_KEY": secrets.signing_key,
        "TESSERA_BOOTSTRAP_CLIENTS": bootstrap_clients(secrets.client_secrets),
        "TESSERA_CLIENT_SECRET": secrets.client_secrets["notifications"],
        "TESSERA_MEMBERS_CLIENT_SECRET": secrets.client_secrets["members"],
        "TESSERA_REDEMPTION_CLIENT_SECRET": secrets.client_secrets["redemption"],
    }
    return "".join(f"{name}='{value}'\n" for name, value in values.items())
