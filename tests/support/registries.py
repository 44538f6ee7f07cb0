"""Members and coalition as applications on a test's database, and tokens for their routes."""

import json
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx2
from fastapi import FastAPI
from joserfc.jwk import OKPKey

from services.coalition import app as coalition
from services.coalition.credentials.tokens import TokenSigner
from services.coalition.domain.scopes import SCOPES
from services.coalition.settings import CoalitionSettings
from services.members import app as members
from services.members.settings import MembersSettings
from shared.clock import BusinessClock
from shared.database import Database
from shared.database.roles import role_name
from shared.runtime import ServiceContext, Wiring
from shared.runtime.settings import ServiceSettings
from shared.web import Authenticator, StaticKeySource, create_app
from tests.support.databases import made_database
from tests.support.servers import TestServers

ISSUER = "https://tessera.invalid"
SIGNING_KEY: dict[str, Any] = dict(OKPKey.generate_key("Ed25519", private=True, auto_kid=True).as_dict(private=True))
SIGNER = TokenSigner(SIGNING_KEY, issuer=ISSUER)
IDENTIFIER_KEY = "0f" * 32
CONTENT_KEYS = "1:" + "c7" * 32
MASTER_KEYS = "1:" + "3c" * 32
# Children before parents.
EMPTIED = {
    "members": (
        "member_pins",
        "duplicates",
        "person_blocks",
        "awaited_comparisons",
        "quality_rules",
        "field_checks",
        "member_import_refusals",
        "member_imports",
        "referrals",
        "referral_codes",
        "joining_conditions",
        "member_attributes",
        "attribute_entries",
        "attributes",
        "consent_confirmations",
        "consents",
        "consent_statements",
        "consent_texts",
        "terms_acceptances",
        "terms",
        "card_ranges",
        "household_invitations",
        "household_members",
        "identifiers",
        "persons",
        "member_keys",
        "members",
        "households",
        "outbox",
        "idempotency",
    ),
    "coalition": (
        "operators",
        "till_shifts",
        "category_sales",
        "unknown_articles",
        "article_import_refusals",
        "article_imports",
        "article_exclusions",
        "articles",
        "category_mappings",
        "categories",
        "read_to",
        "contracts",
        "tills",
        "stores",
        "partner_versions",
        "partners",
        "api_clients",
        "outbox",
        "idempotency",
    ),
}
REQUIRED = {
    "database_url": "postgresql://nobody:nothing@127.0.0.1:1/none",  # tests bring their own
    "kafka_bootstrap_servers": "127.0.0.1:1",
    "identifier_key": IDENTIFIER_KEY,
    "content_keys": CONTENT_KEYS,
    "token_issuer": ISSUER,
}


def token(*scopes: str, client_id: str = "programme", partner_id: str | None = None) -> str:
    """A token as coalition would sign it; without scopes it has all."""
    return SIGNER.sign(client_id, partner_id, scopes or SCOPES, uuid4(), int(time.time())).token


def bearing(*scopes: str, client_id: str = "programme", partner_id: str | None = None) -> dict[str, str]:
    """Headers with a token, and a new Idempotency-Key."""
    return {
        "Authorization": f"Bearer {token(*scopes, client_id=client_id, partner_id=partner_id)}",
        "Idempotency-Key": uuid4().hex,
    }


def members_settings(**others: object) -> MembersSettings:
    """The registry's settings."""
    return MembersSettings.model_validate(REQUIRED | {"master_keys": MASTER_KEYS, "client_secret": "s" * 32} | others)


def coalition_settings(clients: Iterable[Mapping[str, object]] = (), **others: object) -> CoalitionSettings:
    """Coalition's settings, with bootstrap clients."""
    return CoalitionSettings.model_validate(
        REQUIRED | {"signing_key": json.dumps(SIGNING_KEY), "bootstrap_clients": list(clients)} | others
    )


@asynccontextmanager
async def members_client(
    database: Database, settings: MembersSettings | None = None
) -> AsyncIterator[httpx2.AsyncClient]:
    """The members service, called in process."""
    context = await _context("members", settings or members_settings(), database)
    async with _served(await members.build(context), context.authenticator) as client:
        yield client


@asynccontextmanager
async def coalition_client(
    database: Database, settings: CoalitionSettings | None = None
) -> AsyncIterator[httpx2.AsyncClient]:
    """The coalition service, started with these settings and called in process."""
    context = await _context("coalition", settings or coalition_settings(), database)
    async with _served(await coalition.build(context), context.authenticator) as client:
        yield client


async def _context(service: str, settings: Any, database: Database) -> ServiceContext[Any]:
    assert isinstance(settings, ServiceSettings)
    async with database.transaction() as transaction:
        clock = BusinessClock(transaction.now)
    authenticator = Authenticator(
        StaticKeySource(SIGNER.public_jwks()), issuer=ISSUER, external=settings.external_issuers
    )
    await authenticator.refresh()
    return ServiceContext(
        service=service,
        role="api",
        instance=f"{service}-1",
        settings=settings,
        database=database,
        clock=clock,
        authenticator=authenticator,
        kafka=settings.kafka,
    )


@asynccontextmanager
async def _served(wiring: Wiring, authenticator: Authenticator) -> AsyncIterator[httpx2.AsyncClient]:
    for step in wiring.on_start:
        await step()
    app: FastAPI = create_app(
        title="test",
        authenticator=authenticator,
        routers=wiring.routers,
        checks=wiring.checks,
        domain_problems=wiring.domain_problems,
    )
    # Faults come back as the 500 that callers get, not as exceptions in the test.
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


@asynccontextmanager
async def shared_database(servers: TestServers, service: str) -> AsyncIterator[Database]:
    """One database for many tests, as the service's role; ``empty_tables`` before each makes it a test's own."""
    async with made_database(servers) as made:
        database = Database(made.url(role_name(service)))
        yield database
        await database.close()


async def empty_tables(database: Database, service: str) -> None:
    """Take every row from the service's tables: a few rows are deleted sooner than a template is copied."""
    async with database.transaction() as transaction:
        for table in EMPTIED[service]:
            await transaction.raw.execute(f"delete from {table}")
