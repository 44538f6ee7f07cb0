"""Wiring: settings to database, Kafka, routes and workers; nothing else."""

from functools import partial

from services.fraud.api.cases import cases_router, decisions_router
from services.fraud.api.member_data import member_data_router
from services.fraud.api.member_decisions import member_decisions_router
from services.fraud.api.spend_decisions import spend_decisions_router
from services.fraud.consumer import (
    CoalitionHandler,
    MemberHandler,
    PointsHandler,
    PurchaseHandler,
    RedemptionHandler,
    wants_member,
    wants_move,
    wants_of_coalition,
    wants_purchase,
    wants_spending,
)
from services.fraud.domain.cases import CaseClosedOtherwiseError
from services.fraud.domain.rule_set import ACTIVE_RULE_SET
from services.fraud.domain.spending.errors import DecisionIdTakenError
from services.fraud.domain.spending.rule_set import ACTIVE_SPEND_RULE_SET
from services.fraud.repository import rule_sets
from services.fraud.repository.retention import NOTES_OF_CLOSED_CASES, SPEND_DECISIONS
from services.fraud.settings import FraudSettings
from shared.database import Database
from shared.events.catalogue import COALITION, MEMBERS, POINTS, PURCHASES, REDEMPTIONS
from shared.kafka import ConsumerLimits
from shared.runtime.context import ServiceContext
from shared.runtime.wiring import Subscription, Wiring


async def build(context: ServiceContext[FraudSettings]) -> Wiring:
    """Put fraud together for one process."""
    settings, database = context.settings, context.database
    purchases = PurchaseHandler(database, ACTIVE_RULE_SET, settings.zone)
    limits = ConsumerLimits(records_max=settings.purchase_batch_max)
    return Wiring(
        routers=(
            cases_router(database),
            decisions_router(database),
            member_data_router(database),
            spend_decisions_router(database, ACTIVE_SPEND_RULE_SET),
            member_decisions_router(database),
        ),
        subscriptions=(
            Subscription(PURCHASES, purchases, limits, wants=wants_purchase),
            Subscription(MEMBERS, MemberHandler(database), wants=wants_member),
            Subscription(POINTS, PointsHandler(database, ACTIVE_RULE_SET), wants=wants_move),
            Subscription(COALITION, CoalitionHandler(database), wants=wants_of_coalition),
            Subscription(REDEMPTIONS, RedemptionHandler(database, ACTIVE_SPEND_RULE_SET), wants=wants_spending),
        ),
        retention=(NOTES_OF_CLOSED_CASES, SPEND_DECISIONS),
        on_start=(partial(_publish_rules, database),),
        domain_problems={
            CaseClosedOtherwiseError: (409, "case-closed", "The case is closed with another outcome"),
            DecisionIdTakenError: (409, "decision-id-taken", "Decision id taken"),
        },
    )


async def _publish_rules(database: Database) -> None:
    await database.run(lambda transaction: rule_sets.publish(transaction, ACTIVE_RULE_SET))
    await database.run(lambda transaction: rule_sets.publish(transaction, ACTIVE_SPEND_RULE_SET))
