"""The edge on the other side: due messages become mail.

A pass claims a page of messages, asks the registry for each address, renders, sends over a few kept connections, and
writes down what became of each as soon as it is known. Between the server's "accepted" and our commit lies one short
transaction; a process that dies there sends that message again when its lease has run out, with the same Message-ID.
No message is ever lost that way, and none ends without a record.
"""

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

import structlog
from jinja2 import TemplateError

from services.notifications.domain.codes import Challenge, CodeToRead
from services.notifications.domain.delivery import (
    Interrupted,
    NotDeliverable,
    NotRendered,
    Outcome,
    Unavailable,
    is_exhausted,
)
from services.notifications.domain.mail import Sender, compose
from services.notifications.domain.news import TEMPLATE as NEWS_TEMPLATE
from services.notifications.domain.standing import SUPPRESSES
from services.notifications.gateways.contacts import Contact, Contacts, ContactsUnavailableError
from services.notifications.gateways.mail_server import SEND_SECONDS_MAX, MailServer
from services.notifications.metrics import ATTEMPT_SECONDS, ATTEMPTS, MESSAGES_ENDED, SENDER_PAUSED
from services.notifications.rendering import Templates, UnknownTemplateError
from services.notifications.use_cases.claim_due_messages import DueMessage, claim_due_messages
from services.notifications.use_cases.record_outcomes import Attempt, record_outcomes
from shared.database import Database
from shared.database.errors import is_permanent
from shared.one_time_codes import CodeKeys, UnknownCodeKeyError
from shared.telemetry.trace_context import traced

PAGE_MESSAGES_MAX = 100
PASS_SECONDS_MAX = 5.0  # no new page after that: a process that stops waits for the pass
LEASE_SECONDS = 300.0
PAUSE_SECONDS_MIN = 1.0
PAUSE_SECONDS_MAX = 60.0
RECORD_PAUSE_SECONDS = 0.5
RECORD_GATHER_SECONDS = 0.02  # how long an outcome waits for others, so that they share a commit

log = structlog.get_logger(__name__)


class MessageSender:
    """Sends what is due. Several may work side by side, in one process or in many."""

    def __init__(
        self,
        *,
        database: Database,
        contacts: Contacts,
        mail_server: MailServer,
        templates: Templates,
        sender: Sender,
        code_keys: CodeKeys | None = None,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        self._database = database
        self._contacts = contacts
        self._mail_server = mail_server
        self._templates = templates
        self._sender = sender
        self._code_keys = code_keys or CodeKeys({})
        self._lease_seconds = lease_seconds
        self._pause_seconds = 0.0
        self._paused_until_seconds = 0.0

    async def send_due(self) -> int:
        """One pass: page after page until nothing is due or ``PASS_SECONDS_MAX`` are over; returns how many were tried.

        While the registry or the mail server is away, passes do nothing for a while, longer each time up to
        ``PAUSE_SECONDS_MAX``; what was claimed goes back to the queue with no mark against it.
        """
        if time.monotonic() < self._paused_until_seconds:
            return 0
        tried = 0
        pass_ends_seconds = time.monotonic() + PASS_SECONDS_MAX
        while time.monotonic() < pass_ends_seconds:
            outcomes = await self._send_page()
            tried += len(outcomes)
            causes = sorted({outcome.cause for outcome in outcomes if isinstance(outcome, Unavailable)})
            if causes:
                self._pause(causes)
                break
            if outcomes:
                self._resume()
            if len(outcomes) < PAGE_MESSAGES_MAX:
                break
        return tried

    async def _send_page(self) -> list[Outcome]:
        if not await self._mail_server.is_there():
            return [Unavailable("mail_server")]
        page_ends_seconds = time.monotonic() + self._lease_seconds
        async with self._database.transaction() as transaction:
            page = await claim_due_messages(transaction, PAGE_MESSAGES_MAX, timedelta(seconds=self._lease_seconds))
        if not page:
            return []
        attempts: asyncio.Queue[Attempt] = asyncio.Queue()
        async with asyncio.TaskGroup() as group:
            recorded = group.create_task(self._record(attempts, len(page), page_ends_seconds))
            for due in page:
                group.create_task(self._attempt(due, attempts, page_ends_seconds))
        return recorded.result()

    async def _attempt(self, due: DueMessage, attempts: "asyncio.Queue[Attempt]", page_ends_seconds: float) -> None:
        with traced(due.message.traceparent), ATTEMPT_SECONDS.time():
            outcome = await self._deliver(due, page_ends_seconds)
        ATTEMPTS.labels(type(outcome).__name__).inc()
        attempts.put_nowait(Attempt(due.message, outcome))

    async def _deliver(self, due: DueMessage, page_ends_seconds: float) -> Outcome:
        message = due.message
        if is_exhausted(message.deferrals):  # its lease ran out once too often: it may be what kills the process
            return Interrupted()
        if due.challenge is not None and due.claimed_at >= due.challenge.expires_at:
            return NotDeliverable("code_expired")
        suppressed = SUPPRESSES[message.member_status]
        if suppressed is not None:
            return NotDeliverable(suppressed)
        if message.template == NEWS_TEMPLATE and not due.news.lines:
            return NotDeliverable("nothing_to_tell")
        try:
            contact = await self._contacts.find(message.member_id)
        except ContactsUnavailableError as error:
            log.debug("no contact can be had", reason=str(error))
            return Unavailable("registry")
        if isinstance(contact, NotDeliverable):
            return contact
        mail = self._render(due, contact)
        if isinstance(mail, NotRendered):
            return mail
        return await self._mail_server.send(
            self._sender.address,
            contact.address,
            mail,
            # Others may take so long that the lease would end in the middle of this one.
            start_by_seconds=page_ends_seconds - 2 * SEND_SECONDS_MAX,
        )

    def _render(self, due: DueMessage, contact: Contact) -> bytes | NotRendered:
        message = due.message
        language = contact.language or message.language
        try:
            asked = message.template, message.template_version, language, contact.given_name
            if due.challenge is not None:
                text = self._templates.render_code(*asked, self._code_of(due.challenge))
            elif due.pin_change is not None:
                text = self._templates.render_pin_notice(*asked, due.pin_change)
            elif message.template == NEWS_TEMPLATE:
                text = self._templates.render_news(*asked, due.news)
            else:
                text = self._templates.render_digest(*asked, due.digest)
        except (TemplateError, UnknownTemplateError, UnknownCodeKeyError) as error:
            log.error(  # noqa: TRY400 -- a template's traceback shows its values
                "a template does not render",
                template=message.template,
                version=message.template_version,
                failure_type=type(error).__name__,
            )
            return NotRendered()
        return compose(text, self._sender, contact.address, message.message_id, due.claimed_at)

    def _code_of(self, challenge: Challenge) -> CodeToRead:
        """The code is made here, where it is written into a mail, and forgotten with it."""
        return CodeToRead(
            self._code_keys.code_of(challenge.challenge_id, challenge.key_id),
            challenge.kind,
            challenge.partner,
            challenge.point_type,
            challenge.points,
        )

    async def _record(
        self, attempts: "asyncio.Queue[Attempt]", expected: int, page_ends_seconds: float
    ) -> list[Outcome]:
        """Write outcomes down as they come; those that come close together share a transaction."""
        outcomes: list[Outcome] = []
        unsaved: list[Attempt] = []
        try:
            while len(outcomes) < expected:
                unsaved.append(await attempts.get())
                await asyncio.sleep(RECORD_GATHER_SECONDS)
                _drain(attempts, unsaved)
                await self._save(unsaved, page_ends_seconds)
                outcomes.extend(attempt.outcome for attempt in unsaved)
                unsaved.clear()
        finally:
            # Cut off in the middle: what was sent is still written down, if the database lets us now.
            _drain(attempts, unsaved)
            if unsaved:
                await self._save(unsaved, time.monotonic())
        return outcomes

    async def _save(self, known: list[Attempt], page_ends_seconds: float) -> None:
        """Save, and while the database is away try again until the lease ends: what was sent must not be forgotten."""
        while True:
            try:
                ends = await self._database.run(partial(record_outcomes, attempts=known))
            except Exception as error:
                if is_permanent(error) or time.monotonic() >= page_ends_seconds:
                    raise
                log.warning("outcomes cannot be saved yet", failure_type=type(error).__name__, outcomes=len(known))
                await asyncio.sleep(RECORD_PAUSE_SECONDS)
                continue
            for end in ends:
                MESSAGES_ENDED.labels(end.state, end.reason or "").inc()
            return

    def _pause(self, causes: Sequence[str]) -> None:
        self._pause_seconds = min(max(self._pause_seconds * 2, PAUSE_SECONDS_MIN), PAUSE_SECONDS_MAX)
        self._paused_until_seconds = time.monotonic() + self._pause_seconds
        log.warning("messages wait for an outage to end", causes=causes, pause_seconds=self._pause_seconds)
        SENDER_PAUSED.set(1)

    def _resume(self) -> None:
        self._pause_seconds = 0.0
        SENDER_PAUSED.set(0)


def _drain(attempts: "asyncio.Queue[Attempt]", into: list[Attempt]) -> None:
    while not attempts.empty():
        into.append(attempts.get_nowait())
