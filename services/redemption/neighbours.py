"""Whom redemption asks while a till waits: one HTTP client and one token for all of a process."""

import httpx2

from services.redemption.gateways.basket_previews import BasketPreviews
from services.redemption.gateways.fraud_decisions import FraudDecisions
from services.redemption.gateways.member_names import MemberNames
from services.redemption.gateways.member_pins import MemberPins
from services.redemption.gateways.return_previews import ReturnPreviews
from services.redemption.settings import RedemptionSettings
from shared.runtime import Periodic
from shared.web.access_tokens import AccessToken
from shared.web.authorities import trusted_authorities

CONNECTIONS_MAX = 64
# Less than our servers keep theirs: a connection that they close at that moment would fail a call.
KEPT_SECONDS = 20.0
RENEW_TOKEN_SECONDS = 5.0
# A token is renewed so long before it is used no more, so that no till waits for that.
RENEW_AHEAD_SECONDS = 60.0


class Neighbours:
    """accrual, members and, where it is asked, fraud, as redemption's API client. Nothing is asked before there is a
    question."""

    def __init__(self, settings: RedemptionSettings) -> None:
        limits = httpx2.Limits(
            max_connections=CONNECTIONS_MAX, max_keepalive_connections=CONNECTIONS_MAX, keepalive_expiry=KEPT_SECONDS
        )
        # Whoever asks sets the deadline.
        self._client = httpx2.AsyncClient(limits=limits, timeout=None, trust_env=False, verify=trusted_authorities())
        secret = settings.client_secret.get_secret_value()
        self._token = AccessToken(self._client, settings.token_url, settings.client_id, secret)
        self.baskets = BasketPreviews(self._client, settings.accrual_url, self._token)
        self.returns = ReturnPreviews(self._client, settings.accrual_url, self._token)
        self.names = MemberNames(self._client, settings.members_url, self._token)
        self.pins = MemberPins(self._client, settings.members_url, self._token)
        self.fraud = (
            None if settings.fraud_url is None else FraudDecisions(self._client, settings.fraud_url, self._token)
        )

    @property
    def renewing(self) -> Periodic:
        """Keeps a token at hand: whoever asks has less time than it may take to get one."""
        return Periodic("renew the token for other services", RENEW_TOKEN_SECONDS, self._renew, in_every_role=True)

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def _renew(self) -> None:
        await self._token.renew(RENEW_AHEAD_SECONDS)
