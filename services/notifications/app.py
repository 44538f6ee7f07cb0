"""Wiring of notifications: settings → handlers, sender, routes."""

from datetime import timedelta

import httpx2

from services.notifications.api.member_data import member_data_router
from services.notifications.api.messages import messages_router
from services.notifications.consumer import (
    TopicHandler,
    is_told,
    take_coalition,
    take_members,
    take_points,
    take_redemptions,
    wants_redemption,
)
from services.notifications.domain.mail import Sender
from services.notifications.gateways.contacts import Contacts
from services.notifications.gateways.mail_server import MailServer, MailServerAddress
from services.notifications.rendering import Templates
from services.notifications.repository.retention import SETTLED_MESSAGES
from services.notifications.sender import LEASE_SECONDS, MessageSender
from services.notifications.settings import NotificationsSettings
from shared.events.catalogue import COALITION, MEMBERS, POINTS, REDEMPTIONS
from shared.runtime import Periodic, ServiceContext, Subscription, Wiring
from shared.web.access_tokens import AccessToken
from shared.web.authorities import trusted_authorities

SEND_INTERVAL_SECONDS = 1.0


async def build(context: ServiceContext[NotificationsSettings]) -> Wiring:
    """Put the service together. Templates are read here: a broken one stops the start, not a mail."""
    settings, database = context.settings, context.database
    client = http_client(settings.contact_requests_max)
    mail_server = mail_server_of(settings)
    sender = MessageSender(
        database=database,
        contacts=contacts_of(settings, client),
        mail_server=mail_server,
        templates=Templates(types=settings.point_types),
        sender=Sender(settings.smtp_from_name, settings.smtp_from),
        code_keys=settings.one_time_code_keys,
    )

    async def send_due() -> None:
        await sender.send_due()

    digest_delay = timedelta(seconds=settings.digest_delay_seconds)
    news_delay = timedelta(seconds=settings.news_delay_seconds)
    points = take_points(digest_delay, news_delay, settings.point_types)
    redemptions = take_redemptions(news_delay, settings.point_types)
    return Wiring(
        routers=(messages_router(database), member_data_router(database)),
        subscriptions=(
            Subscription(POINTS, TopicHandler(database, points), wants=is_told),
            Subscription(REDEMPTIONS, TopicHandler(database, redemptions), wants=wants_redemption),
            Subscription(MEMBERS, TopicHandler(database, take_members)),
            Subscription(COALITION, TopicHandler(database, take_coalition)),
        ),
        periodic=(Periodic("send messages", SEND_INTERVAL_SECONDS, send_due, pass_seconds_max=LEASE_SECONDS),),
        retention=(SETTLED_MESSAGES,),
        on_stop=(mail_server.close, client.aclose),
    )


def http_client(connections_max: int) -> httpx2.AsyncClient:
    """One client for the registry and the token service. Its users set the deadlines."""
    limits = httpx2.Limits(max_connections=connections_max + 1, max_keepalive_connections=connections_max + 1)
    return httpx2.AsyncClient(limits=limits, timeout=None, trust_env=False, verify=trusted_authorities())


def contacts_of(settings: NotificationsSettings, client: httpx2.AsyncClient) -> Contacts:
    """The registry, as this service's API client."""
    secret = settings.client_secret.get_secret_value()
    token = AccessToken(client, settings.token_url, settings.client_id, secret)
    return Contacts(client, settings.members_url, token, concurrent_max=settings.contact_requests_max)


def mail_server_of(settings: NotificationsSettings) -> MailServer:
    """The mail server; nothing is opened yet."""
    password = settings.smtp_password
    address = MailServerAddress(
        host=settings.smtp_host,
        port=settings.smtp_port,
        start_tls=settings.smtp_start_tls,
        username=settings.smtp_username,
        password=password.get_secret_value() if password is not None else None,
    )
    return MailServer(address, connections_max=settings.smtp_connections_max)
