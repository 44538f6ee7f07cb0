"""A process that was told of issuers in its settings."""

import httpx2

from shared.kafka import KafkaSettings
from tests.support.databases import FreshDatabase
from tests.support.oidc_issuer import OidcIssuer, running_issuer
from tests.support.small_service import SERVICE, SmallService, settings_for
from tests.support.until import until


async def test_a_service_starts_without_an_issuer_and_takes_the_tokens_of_the_others(
    fresh_database: FreshDatabase, kafka_settings: KafkaSettings
) -> None:
    gone = OidcIssuer("http://127.0.0.1:1")
    async with running_issuer() as issuer:
        told = [gone.told(prefix="gone"), issuer.told()]
        settings = settings_for(fresh_database.url(f"tessera_{SERVICE}"), kafka_settings, external_issuers=told)
        service = SmallService(settings)
        async with service.running("api") as running, httpx2.AsyncClient(trust_env=False) as client:

            async def answer(path: str, token: str | None = None) -> httpx2.Response:
                return await client.get(running.url + path, headers={"Authorization": f"Bearer {token}"})

            async def is_let_in() -> bool:
                return (await answer("/v1/who", issuer.token())).status_code == 200

            await until(is_let_in)
            assert (await answer("/v1/who", issuer.token())).json() == "person:corp:p7"
            assert (await answer("/v1/who", service.issuer.token("messages:read"))).json() == "client-1"
            assert (await answer("/v1/who", gone.token())).status_code == 503
            assert (await answer("/health/ready")).status_code == 200
            assert 'tessera_jwks_fetches_total{issuer="gone",outcome="failed"}' in (await answer("/metrics")).text
