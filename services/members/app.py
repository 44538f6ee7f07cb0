"""Wiring: settings to database, Kafka and routes; nothing else."""

from functools import partial

import httpx2

from services.members.api.subjects import SUBJECTS, Parts, Problems
from services.members.consumer import CoalitionHandler, wants_client
from services.members.domain.duplicates import BlockingKey
from services.members.gateways.service_data import ServiceData
from services.members.repository.retention import EXPIRED_INVITATIONS
from services.members.settings import MembersSettings
from services.members.use_cases.export_member import MemberExporter
from services.members.use_cases.find_duplicates import DuplicateFinder
from services.members.use_cases.import_members import MemberImporter
from services.members.use_cases.retire_key import require_known_keys
from services.members.use_cases.rewrap_keys import rewrap_all
from shared.database import Database
from shared.database.retired_keys import SWEEP_SECONDS, RetiredHashes
from shared.events.catalogue import COALITION
from shared.runtime import Periodic, ServiceContext, Subscription, Wiring
from shared.sealing import Seal
from shared.web.access_tokens import AccessToken
from shared.web.authorities import trusted_authorities

REWRAP_SECONDS = 60.0
EXPORT_CONNECTIONS_MAX = 8
FIND_DUPLICATES_SECONDS = 10.0

DOMAIN_PROBLEMS: Problems = {refusal: problem for subject in SUBJECTS for refusal, problem in subject.problems.items()}


async def build(context: ServiceContext[MembersSettings]) -> Wiring:
    """Put members together for one process. What is served stands in ``api/subjects``, a file a subject."""
    settings, database = context.settings, context.database
    master_keys = settings.keys
    client = http_client()
    parts = Parts(
        settings=settings,
        database=database,
        identities=settings.identities,
        master_keys=master_keys,
        seal=Seal(settings.hashing_keys.oldest.secret, "members"),
        importer=MemberImporter(database, master_keys),
        exporter=MemberExporter(database, other_services(settings, client), master_keys),
    )
    blocking_key = BlockingKey.of(settings.hashing_keys.oldest.secret)
    finder = DuplicateFinder(database, master_keys, blocking_key, settings.duplicate_score_percent_min)
    return Wiring(
        routers=tuple(router for subject in SUBJECTS for router in subject.routers(parts)),
        subscriptions=(Subscription(COALITION, CoalitionHandler(database), wants=wants_client),),
        periodic=(
            Periodic("rewrap_keys", REWRAP_SECONDS, partial(rewrap_all, database, master_keys)),
            Periodic("let_retired_hashes_go", SWEEP_SECONDS, RetiredHashes(database, "identifiers").let_go),
            Periodic("find_duplicates", FIND_DUPLICATES_SECONDS, finder.find_all),
        ),
        retention=(EXPIRED_INVITATIONS,),
        on_start=(database.warm, partial(_require_known_keys, database, settings)),
        on_stop=(client.aclose,),
        domain_problems=DOMAIN_PROBLEMS,
    )


async def _require_known_keys(database: Database, settings: MembersSettings) -> None:
    await database.run(lambda transaction: require_known_keys(transaction, settings.hashing_keys))


def http_client() -> httpx2.AsyncClient:
    """One client for the token service and the services that are asked for exports. Its users set the deadlines."""
    limits = httpx2.Limits(max_connections=EXPORT_CONNECTIONS_MAX)
    return httpx2.AsyncClient(limits=limits, timeout=None, trust_env=False, verify=trusted_authorities())


def other_services(settings: MembersSettings, client: httpx2.AsyncClient) -> list[ServiceData]:
    """Every other service that keeps anything of a member, as this service's API client."""
    token = AccessToken(client, settings.token_url, settings.client_id, settings.client_secret.get_secret_value())
    urls = {
        "accrual": settings.accrual_url,
        "redemption": settings.redemption_url,
        "fraud": settings.fraud_url,
        "notifications": settings.notifications_url,
    }
    return [ServiceData(name, url, client, token) for name, url in urls.items()]
