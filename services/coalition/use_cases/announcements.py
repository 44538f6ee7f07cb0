"""What the registry tells the others. A partner, its stores and tills bear one key, so that they stay in order."""

from services.coalition.domain.articles import ArticleExclusion, PriceFloor
from services.coalition.domain.categories import CategoryMapping
from services.coalition.domain.registry import ApiClient, Partner, RegisteredStore, Store, Till
from shared.database import Transaction
from shared.events.catalogue import COALITION
from shared.events.coalition import (
    ApiClientChanged,
    ApiClientData,
    OpeningHours,
    PartnerChanged,
    PartnerData,
    RateLimitData,
    StoreChanged,
    StoreData,
    TillChanged,
    TillData,
)
from shared.events.goods import (
    ArticleChanged,
    ArticleData,
    MappedData,
    PriceFloorChanged,
    PriceFloorData,
    ProductMapped,
)
from shared.ids import new_id
from shared.outbox import Message
from shared.telemetry.trace_context import child_traceparent, current_traceparent

SOURCE = "coalition"


def partner_changed(transaction: Transaction, partner: Partner) -> Message:
    """The partner as it is now."""
    event = PartnerChanged(
        id=new_id(),
        source=SOURCE,
        subject=partner.partner_id,
        time=transaction.now,
        traceparent=child_traceparent(current_traceparent()),
        data=PartnerData(
            partner_id=partner.partner_id,
            version=partner.version,
            name=partner.name,
            state=partner.standing.state,
            kind=partner.standing.kind,
            in_force_from=partner.standing.in_force_from,
            last_earn_on=partner.standing.last_earn_on,
            last_spend_on=partner.standing.last_spend_on,
            returns_until=partner.standing.returns_until,
            reason_code=partner.standing.reason_code,
            line_tolerance_minor=partner.line_tolerance_minor,
            receipt_tolerance_minor=partner.receipt_tolerance_minor,
        ),
    )
    return Message.of(event, COALITION.topic, partner.partner_id)


def store_registered(transaction: Transaction, registered: RegisteredStore) -> list[Message]:
    """The store, then its tills."""
    return [
        store_changed(transaction, registered.store),
        *(till_changed(transaction, till) for till in registered.tills),
    ]


def till_changed(transaction: Transaction, till: Till) -> Message:
    """The till as it is now, with the digest that its key is checked against."""
    event = TillChanged(
        id=new_id(),
        source=SOURCE,
        subject=till.subject,
        time=transaction.now,
        traceparent=child_traceparent(current_traceparent()),
        data=TillData(
            partner_id=till.partner_id,
            store_id=till.store_id,
            till_id=till.till_id,
            version=till.version,
            key_scheme=till.key_scheme,
            key_sha256=till.key_sha256,
            is_revoked=till.is_revoked,
            previous_key_sha256=till.previous_key_sha256,
            previous_key_until=till.previous_key_until,
        ),
    )
    return Message.of(event, COALITION.topic, till.partner_id)


def client_changed(transaction: Transaction, client: ApiClient) -> Message:
    """The client as it is now. Keyed by the client: it may be nobody's but the programme's."""
    event = ApiClientChanged(
        id=new_id(),
        source=SOURCE,
        subject=client.client_id,
        time=transaction.now,
        traceparent=child_traceparent(current_traceparent()),
        data=ApiClientData(
            client_id=client.client_id,
            version=client.version,
            partner_id=client.partner_id,
            scopes=client.scopes,
            is_revoked=client.is_revoked,
            rate_limit=None
            if client.rate_limit is None
            else RateLimitData(requests=client.rate_limit.requests, window_seconds=client.rate_limit.window_seconds),
        ),
    )
    return Message.of(event, COALITION.topic, client.client_id)


def store_changed(transaction: Transaction, store: Store) -> Message:
    """The store as it is now."""
    place = store.place
    event = StoreChanged(
        id=new_id(),
        source=SOURCE,
        subject=store.subject,
        time=transaction.now,
        traceparent=child_traceparent(current_traceparent()),
        data=StoreData(
            partner_id=store.partner_id,
            store_id=store.store_id,
            version=store.version,
            name=store.name,
            time_zone=store.time_zone,
            gln=place.gln,
            latitude_microdegrees=place.latitude_microdegrees,
            longitude_microdegrees=place.longitude_microdegrees,
            zone=place.zone,
            opening_hours=tuple(
                OpeningHours(weekday=hours.weekday, opens_minute=hours.opens_minute, closes_minute=hours.closes_minute)
                for hours in place.opening_hours
            ),
        ),
    )
    return Message.of(event, COALITION.topic, store.partner_id)


def product_mapped(transaction: Transaction, mapping: CategoryMapping) -> Message:
    """What a partner's category counts as. Keyed by the partner, so that its versions come in their order."""
    event = ProductMapped(
        id=new_id(),
        source=SOURCE,
        subject=f"{mapping.partner_id}/{mapping.partner_category}",
        time=transaction.now,
        traceparent=child_traceparent(current_traceparent()),
        data=MappedData(
            partner_id=mapping.partner_id,
            version=mapping.version,
            partner_category=mapping.partner_category,
            category_id=mapping.category_id,
            path=mapping.path,
            in_force_from=mapping.in_force_from,
        ),
    )
    return Message.of(event, COALITION.topic, mapping.partner_id)


def article_changed(transaction: Transaction, exclusion: ArticleExclusion) -> Message:
    """Whether an article earns. Keyed by the partner, as its mappings are, with which it is numbered."""
    event = ArticleChanged(
        id=new_id(),
        source=SOURCE,
        subject=f"{exclusion.partner_id}/{exclusion.sku}",
        time=transaction.now,
        traceparent=child_traceparent(current_traceparent()),
        data=ArticleData(
            partner_id=exclusion.partner_id,
            version=exclusion.version,
            sku=exclusion.sku,
            is_excluded=exclusion.is_excluded,
            in_force_from=exclusion.in_force_from,
        ),
    )
    return Message.of(event, COALITION.topic, exclusion.partner_id)


def price_floor_changed(transaction: Transaction, floor: PriceFloor) -> Message:
    """What an article does not cost less than. Keyed by the article, so that nothing else of the partner waits behind a
    catalogue of floors."""
    event = PriceFloorChanged(
        id=new_id(),
        source=SOURCE,
        subject=f"{floor.partner_id}/{floor.sku}",
        time=transaction.now,
        traceparent=child_traceparent(current_traceparent()),
        data=PriceFloorData(
            partner_id=floor.partner_id, sku=floor.sku, version=floor.version, floor_minor=floor.floor_minor
        ),
    )
    return Message.of(event, COALITION.topic, event.subject)
