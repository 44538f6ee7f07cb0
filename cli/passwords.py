"""The passwords of the platform's database roles, from the environment or from a local stack."""

import os
from collections.abc import Mapping

from cli.errors import CommandError
from shared.database.roles import SERVICES, reader_name, role_name


def password_variable(service: str, *, is_reader: bool = False) -> str:
    """``TESSERA_PASSWORD_ACCRUAL`` or ``TESSERA_PASSWORD_ACCRUAL_READER``."""
    return f"TESSERA_PASSWORD_{service.upper()}" + ("_READER" if is_reader else "")


def passwords_from_environment(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Role names to passwords. Every service needs one; its reader may go without, and then cannot log in."""
    missing = [name for service in SERVICES if not environment.get(name := password_variable(service))]
    if missing:
        raise CommandError(
            "These variables must be set to the passwords that the services' roles are to have:\n  "
            + "\n  ".join(missing)
        )
    passwords = {role_name(service): environment[password_variable(service)] for service in SERVICES}
    for service in SERVICES:
        if reader := environment.get(password_variable(service, is_reader=True)):
            passwords[reader_name(service)] = reader
    return passwords
