"""How commands that look at the ledger reach it."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from cli.errors import CommandError
from deploy.local.config import DATABASE_URL_VARIABLE, StackConfig
from deploy.local.services import database_url_of, local_admin_url
from deploy.local.stack_secrets import load_secrets
from shared.database.roles import LEDGER_SERVICES, reader_name
from shared.ledger import Head

CONNECT_SECONDS_MAX = 5.0


@asynccontextmanager
async def reading(url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection that sees the ledger's tables."""
    connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS_MAX, server_settings={"search_path": "ledger"})
    try:
        yield connection
    finally:
        await connection.close()


def reader_url() -> str:
    """Where to read the ledger: as TESSERA_DATABASE_URL says, else in the local stack."""
    if given := os.environ.get(DATABASE_URL_VARIABLE):
        return given
    config = StackConfig.from_environment()
    secrets = load_secrets(config.secrets_file)
    return database_url_of(local_admin_url(config, secrets), secrets, reader_name(LEDGER_SERVICES[0]))


def read_head(text: str) -> Head:
    """A head of the chain as somebody typed it."""
    try:
        return Head.read(text)
    except ValueError as error:
        raise CommandError(f"--head {text!r}: {error}") from error
