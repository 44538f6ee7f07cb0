"""Wiring: settings to database, credentials, Kafka, routes and workers; nothing else."""

from functools import partial
from zoneinfo import ZoneInfo

import structlog

from services.coalition import metrics
from services.coalition.api.article_imports import article_imports_router
from services.coalition.api.articles import articles_router
from services.coalition.api.audit import audit_router
from services.coalition.api.categories import categories_router, mappings_router, unmapped_router
from services.coalition.api.client_changes import client_changes_router
from services.coalition.api.clients import clients_router
from services.coalition.api.contracts import approvals_router, contract_reading_router, contracts_router
from services.coalition.api.exposure import exposure_router
from services.coalition.api.oauth import oauth_router
from services.coalition.api.operators import operator_changes_router, operators_router
from services.coalition.api.partners import partners_router, standings_router
from services.coalition.api.people import people_changes_router, people_router
from services.coalition.api.republishing import republishing_router
from services.coalition.api.shifts import shifts_router
from services.coalition.api.shown_once import ShownOnce
from services.coalition.api.store_changes import store_changes_router
from services.coalition.api.stores import stores_router, tills_router
from services.coalition.api.till_keys import till_keys_router
from services.coalition.consumer import (
    MemberHandler,
    PointsHandler,
    PurchaseHandler,
    RedemptionHandler,
    wants_erasure,
    wants_points,
    wants_spending,
)
from services.coalition.domain.errors import (
    ArticleImportNotFoundError,
    ArticleNotFoundError,
    CategoryExistsError,
    CategoryNotFoundError,
    ClientExistsError,
    ClientNotFoundError,
    ClientOfSettingsError,
    ClientRevokedError,
    ContractNotFoundError,
    ContractOverlapsError,
    ContractStateError,
    CurrencyDiffersError,
    DocumentTakenError,
    ExclusivityClashError,
    LeavingDatesError,
    OperatorExistsError,
    OperatorLeftError,
    OperatorNotFoundError,
    OwnDraftError,
    PartnerExistsError,
    PartnerNotFoundError,
    PublishedTooLateError,
    RolesNotForPartnersError,
    ScopeNotForPartnersError,
    ShiftClosedOtherwiseError,
    StateChangeError,
    StoreExistsError,
    StoreNotFoundError,
    TillExistsError,
    TillNotFoundError,
    TooManyClientsError,
    TooManyExclusionsError,
    TreeTooDeepError,
)
from services.coalition.domain.operators import OperatorHashing, oldest_version
from services.coalition.settings import CoalitionSettings
from services.coalition.use_cases.issue_token import TokenDesk
from services.coalition.use_cases.judge_exposure import review_exposures
from services.coalition.use_cases.retire_own_cards import retire_own_cards
from services.coalition.use_cases.settle_clients import settle_clients
from services.coalition.use_cases.settle_people import settle_people
from shared.database import Database
from shared.events.catalogue import MEMBERS, POINTS, PURCHASES, REDEMPTIONS
from shared.runtime import Periodic, ServiceContext, Subscription, Wiring
from shared.sealing import Seal, SealBrokenError
from shared.secret_hasher import SecretHasher
from shared.web import StaticKeySource, VersionChangedError
from shared.web.csv_pages import AnotherFileError, ImportBusyError, UnusableHeaderError
from shared.web.csv_records import UnreadableCsvError

DOMAIN_PROBLEMS: dict[type[Exception], tuple[int, str, str]] = {
    AnotherFileError: (409, "another-file", "Another file"),
    ArticleImportNotFoundError: (404, "not-found", "Not found"),
    ArticleNotFoundError: (404, "not-found", "Not found"),
    CategoryExistsError: (409, "category-exists", "Category exists"),
    CategoryNotFoundError: (422, "unknown-category", "Unknown category"),
    ClientExistsError: (409, "client-exists", "Client exists"),
    ContractNotFoundError: (404, "not-found", "Not found"),
    ContractOverlapsError: (409, "contract-overlaps", "Contract overlaps"),
    ContractStateError: (409, "contract-state", "Contract state"),
    CurrencyDiffersError: (409, "currency-differs", "Currency differs"),
    DocumentTakenError: (409, "document-taken", "Document taken"),
    ExclusivityClashError: (409, "exclusivity-clash", "Exclusivity clash"),
    OperatorExistsError: (409, "operator-exists", "Operator exists"),
    OperatorLeftError: (409, "operator-left", "Operator left"),
    OperatorNotFoundError: (404, "not-found", "Not found"),
    OwnDraftError: (403, "own-draft", "Own draft"),
    ClientNotFoundError: (404, "not-found", "Not found"),
    ClientOfSettingsError: (409, "client-of-settings", "Client of settings"),
    ClientRevokedError: (409, "client-revoked", "Client revoked"),
    ImportBusyError: (409, "import-busy", "Import busy"),
    LeavingDatesError: (422, "leaving-dates", "Leaving dates"),
    PartnerExistsError: (409, "partner-exists", "Partner exists"),
    PartnerNotFoundError: (404, "not-found", "Not found"),
    PublishedTooLateError: (422, "published-too-late", "Published too late"),
    RolesNotForPartnersError: (422, "roles-not-for-partners", "Roles not for partners"),
    ScopeNotForPartnersError: (422, "scope-not-for-partners", "Scope not for partners"),
    SealBrokenError: (409, "secret-not-available", "Secret not available"),
    ShiftClosedOtherwiseError: (409, "shift-closed-otherwise", "Shift closed otherwise"),
    StateChangeError: (409, "state-change", "State change"),
    StoreExistsError: (409, "store-exists", "Store exists"),
    StoreNotFoundError: (404, "not-found", "Not found"),
    TillNotFoundError: (404, "not-found", "Not found"),
    TillExistsError: (409, "till-exists", "Till exists"),
    TooManyClientsError: (409, "too-many-clients", "Too many clients"),
    TooManyExclusionsError: (409, "too-many-exclusions", "Too many exclusions"),
    TreeTooDeepError: (422, "tree-too-deep", "Tree too deep"),
    UnreadableCsvError: (422, "unusable-file", "Unusable file"),
    UnusableHeaderError: (422, "unusable-file", "Unusable file"),
    VersionChangedError: (412, "version-changed", "Version changed"),
}

REVIEW_SECONDS = 1.0

log = structlog.get_logger(__name__)


def own_keys(settings: CoalitionSettings) -> StaticKeySource:
    """The keys that others fetch from here: coalition checks tokens without asking itself over HTTP."""
    return StaticKeySource(settings.token_signer().public_jwks())


async def build(context: ServiceContext[CoalitionSettings]) -> Wiring:
    """Put coalition together for one process."""
    settings, database = context.settings, context.database
    signer = settings.token_signer()
    hasher = SecretHasher()
    shown_once = ShownOnce(Seal(signer.key_material(), "coalition"))
    operator_hashing = OperatorHashing(settings.hashing_keys, settings.country)
    declared = [client.declared() for client in settings.bootstrap_clients]

    async def settle_declared_clients() -> None:
        written = await settle_clients(database, hasher, declared)
        log.info("clients of the settings are in place", clients=len(declared), written=written)

    return Wiring(
        routers=(
            partners_router(database),
            standings_router(database, ZoneInfo(settings.time_zone)),
            stores_router(database, shown_once),
            store_changes_router(database),
            tills_router(database, shown_once),
            till_keys_router(database, shown_once),
            operators_router(database, operator_hashing),
            operator_changes_router(database, operator_hashing),
            shifts_router(database),
            categories_router(database),
            mappings_router(database),
            unmapped_router(database),
            articles_router(database),
            article_imports_router(database),
            clients_router(database, hasher, shown_once),
            client_changes_router(
                database, hasher, shown_once, frozenset(client.client_id for client in settings.bootstrap_clients)
            ),
            people_router(database, hasher, shown_once),
            people_changes_router(database, hasher, shown_once),
            audit_router(database),
            contracts_router(database),
            contract_reading_router(database),
            approvals_router(database),
            exposure_router(database),
            republishing_router(database),
            oauth_router(TokenDesk(database, hasher, signer), signer),
        ),
        subscriptions=(
            Subscription(MEMBERS, MemberHandler(database), wants=wants_erasure, unknown_types="dead-letter"),
            Subscription(PURCHASES, PurchaseHandler(database), unknown_types="dead-letter"),
            Subscription(POINTS, PointsHandler(database), wants=wants_points, unknown_types="dead-letter"),
            Subscription(REDEMPTIONS, RedemptionHandler(database), wants=wants_spending, unknown_types="dead-letter"),
        ),
        periodic=(Periodic("review exposures", REVIEW_SECONDS, partial(_review, database)),),
        on_start=(
            database.warm,
            partial(settle_people, database),
            settle_declared_clients,
            partial(retire_own_cards, database, oldest_version(operator_hashing)),
        ),
        domain_problems=DOMAIN_PROBLEMS,
    )


async def _review(database: Database) -> None:
    while judged := await database.run(review_exposures):
        metrics.show(judged)
