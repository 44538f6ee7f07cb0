"""Wiring: settings to database, Kafka and routes; nothing else."""

from functools import partial

import httpx2

from services.members.api.accesses import accesses_router
from services.members.api.attributes import attributes_router, member_attributes_router
from services.members.api.card_ranges import card_ranges_router
from services.members.api.consent_texts import consent_texts_router
from services.members.api.consents import consent_reading_router, consents_router
from services.members.api.data_quality import member_quality_router, quality_router
from services.members.api.duplicates import duplicates_router
from services.members.api.enrolment import enrolment_router
from services.members.api.erasure import erasure_router
from services.members.api.exports import exports_router
from services.members.api.household_problems import HOUSEHOLD_PROBLEMS
from services.members.api.households import household_reading_router, households_router, invitations_router
from services.members.api.identifiers import changes_router, resolving_router
from services.members.api.joining import joining_router
from services.members.api.member_imports import import_reports_router, imports_router
from services.members.api.merging import merging_router
from services.members.api.qr_tokens import qr_tokens_router
from services.members.api.rectification import rectification_router
from services.members.api.registry import lookup_router
from services.members.api.republishing import republishing_router
from services.members.api.statement_problems import STATEMENT_PROBLEMS
from services.members.api.statuses import statuses_router
from services.members.api.terms import acceptances_router, terms_reading_router, terms_router
from services.members.api.virtual_cards import virtual_cards_router
from services.members.consumer import CoalitionHandler, wants_client
from services.members.domain.duplicates import BlockingKey, DuplicateNotFoundError
from services.members.domain.errors import (
    AlreadyEnrolledError,
    BornLaterError,
    CardNotIssuedError,
    CardRangeNotFoundError,
    CardRangeOverlapsError,
    CardRangeStateError,
    IdentifierNotActiveError,
    IdentifierStateError,
    IdentifierTakenError,
    IdentifierUnknownError,
    MemberGoneError,
    MemberMergedError,
    MemberNotFoundError,
    MergeIntoItselfError,
    MergeLiftsLimitError,
    PersonKnownError,
    PersonUnknownError,
    StatusChangeRefusedError,
    UnknownReasonError,
    UnlikeReplacementError,
)
from services.members.domain.exports import ExportTooLargeError
from services.members.domain.joining import JoiningRefusedError
from services.members.domain.member_import import ImportNotFoundError
from services.members.domain.referral import ReferralCodeError
from services.members.gateways.service_data import ServiceData
from services.members.settings import MembersSettings
from services.members.use_cases.export_member import MemberExporter
from services.members.use_cases.find_duplicates import DuplicateFinder
from services.members.use_cases.import_members import MemberImporter
from services.members.use_cases.rewrap_keys import rewrap_all
from shared.events.catalogue import COALITION
from shared.qr_tokens import InvalidQrTokenError
from shared.runtime import Periodic, ServiceContext, Subscription, Wiring
from shared.sealing import Seal
from shared.web import VersionChangedError
from shared.web.access_tokens import AccessToken
from shared.web.csv_pages import AnotherFileError, ImportBusyError, UnusableHeaderError
from shared.web.csv_records import UnreadableCsvError

REWRAP_SECONDS = 60.0
EXPORT_CONNECTIONS_MAX = 8
FIND_DUPLICATES_SECONDS = 10.0

DOMAIN_PROBLEMS: dict[type[Exception], tuple[int, str, str]] = {
    AnotherFileError: (409, "another-file", "Another file"),
    CardNotIssuedError: (409, "card-not-issued", "Card not issued"),
    CardRangeNotFoundError: (404, "not-found", "Not found"),
    CardRangeOverlapsError: (409, "card-range-overlaps", "Card range overlaps"),
    CardRangeStateError: (409, "card-range-state", "Card range state"),
    AlreadyEnrolledError: (409, "already-enrolled", "Already enrolled"),
    BornLaterError: (422, "invalid-request", "Invalid request"),
    DuplicateNotFoundError: (404, "not-found", "Not found"),
    InvalidQrTokenError: (409, "qr-token-not-valid", "QR token not valid"),
    IdentifierNotActiveError: (409, "identifier-not-active", "Identifier not active"),
    IdentifierStateError: (409, "identifier-state", "Identifier state"),
    IdentifierTakenError: (409, "identifier-taken", "Identifier taken"),
    IdentifierUnknownError: (404, "identifier-unknown", "Identifier unknown"),
    ExportTooLargeError: (409, "export-too-large", "Export too large"),
    ImportBusyError: (409, "import-busy", "Import busy"),
    ImportNotFoundError: (404, "not-found", "Not found"),
    UnusableHeaderError: (422, "unusable-file", "Unusable file"),
    UnreadableCsvError: (422, "unusable-file", "Unusable file"),
    JoiningRefusedError: (422, "joining-refused", "Joining refused"),
    PersonKnownError: (409, "person-known", "Person known"),
    PersonUnknownError: (409, "person-unknown", "Person unknown"),
    ReferralCodeError: (422, "referral-code", "Referral code"),
    MemberGoneError: (409, "member-gone", "Member gone"),
    MemberMergedError: (409, "member-merged", "Member merged"),
    MemberNotFoundError: (404, "not-found", "Not found"),
    MergeIntoItselfError: (422, "invalid-request", "Invalid request"),
    MergeLiftsLimitError: (409, "merge-lifts-limit", "Merge lifts limit"),
    StatusChangeRefusedError: (409, "status-change-refused", "Status change refused"),
    VersionChangedError: (412, "version-changed", "Version changed"),
    UnknownReasonError: (422, "invalid-request", "Invalid request"),
    UnlikeReplacementError: (422, "unlike-replacement", "Unlike replacement"),
}


async def build(context: ServiceContext[MembersSettings]) -> Wiring:
    """Put members together for one process."""
    settings, database = context.settings, context.database
    identities, master_keys = settings.identities, settings.keys
    seal = Seal(settings.hashing_key.secret, "members")
    importer = MemberImporter(database, master_keys)
    client = http_client()
    blocking_key = BlockingKey.of(settings.hashing_key.secret)
    finder = DuplicateFinder(database, master_keys, blocking_key, settings.duplicate_score_percent_min)
    return Wiring(
        routers=(
            enrolment_router(database, identities, master_keys),
            joining_router(database),
            lookup_router(database, master_keys),
            rectification_router(database, identities, master_keys),
            erasure_router(database, settings.reasons),
            republishing_router(database),
            accesses_router(database),
            exports_router(MemberExporter(database, other_services(settings, client), master_keys)),
            imports_router(database, identities, importer),
            import_reports_router(database, importer),
            consents_router(database, seal, settings.consent_confirmed_within),
            consent_reading_router(database),
            consent_texts_router(database),
            statuses_router(database, settings.reasons),
            merging_router(database, master_keys, settings.reasons),
            duplicates_router(database),
            changes_router(database, identities),
            resolving_router(database, identities, settings.identifier_match_order, settings.qr_token_keys),
            card_ranges_router(database),
            virtual_cards_router(database, identities, settings.virtual_card_prefix, seal),
            qr_tokens_router(database, settings.qr_token_keys),
            terms_router(database, settings.terms_notice),
            terms_reading_router(database),
            acceptances_router(database),
            attributes_router(database),
            member_attributes_router(database, master_keys),
            households_router(database, settings.household_limits),
            invitations_router(database, seal, settings.household_limits),
            household_reading_router(database),
            quality_router(database),
            member_quality_router(database),
        ),
        subscriptions=(Subscription(COALITION, CoalitionHandler(database), wants=wants_client),),
        periodic=(
            Periodic("rewrap_keys", REWRAP_SECONDS, partial(rewrap_all, database, master_keys)),
            Periodic("find_duplicates", FIND_DUPLICATES_SECONDS, finder.find_all),
        ),
        on_start=(database.warm,),
        on_stop=(client.aclose,),
        domain_problems=DOMAIN_PROBLEMS | HOUSEHOLD_PROBLEMS | STATEMENT_PROBLEMS,
    )


def http_client() -> httpx2.AsyncClient:
    """One client for the token service and the services that are asked for exports. Its users set the deadlines."""
    limits = httpx2.Limits(max_connections=EXPORT_CONNECTIONS_MAX)
    return httpx2.AsyncClient(limits=limits, timeout=None, trust_env=False)


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
