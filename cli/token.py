"""``tessera token``: a bearer token of the local stack."""

from typing import Annotated

import typer

from cli.errors import CommandError
from deploy.local.clients import CLIENT_SCOPES, fetch_token
from deploy.local.config import StackConfig
from deploy.local.services import url_of
from deploy.local.stack_secrets import load_secrets


def print_token(
    client: Annotated[str, typer.Argument(help="An API client of the stack: admin has every scope.")] = "admin",
) -> None:
    """Print a token for the running local stack: curl -H "Authorization: Bearer $(tessera token)" …"""
    if client not in CLIENT_SCOPES:
        raise CommandError(f"The local stack has no client {client!r}; it has {', '.join(CLIENT_SCOPES)}.")
    config = StackConfig.from_environment()
    secrets = load_secrets(config.secrets_file)
    typer.echo(fetch_token(url_of(config, "coalition"), client, secrets.client_secrets[client]))
