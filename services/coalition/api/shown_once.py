"""Answers that hold a new secret: stored sealed for a retry, opened on their way out."""

from fastapi import Response

from services.coalition.schemas.clients import ClientAnswer, RotationAnswer
from services.coalition.schemas.stores import KeyRotationAnswer, StoreOutcome, StoresAnswer, TillAnswer, TillKey
from shared.sealing import Seal
from shared.web import opened


class ShownOnce:
    """Seals the secrets of answers, and opens them again. A secret is bound to the subject that it belongs to."""

    def __init__(self, seal: Seal) -> None:
        self._seal = seal

    def seal_till_key(self, partner_id: str, store_id: str, till_id: str, till_key: str) -> str:
        """A till's key as it may be stored."""
        return self._seal.close(till_key, _till(partner_id, store_id, till_id))

    def seal_client_secret(self, client_id: str, secret: str) -> str:
        """A client's secret as it may be stored."""
        return self._seal.close(secret, _client(client_id))

    def open_till(self, response: Response) -> Response:
        """The answer to a till's registration with its key."""
        return opened(response, TillAnswer, self._open_till)

    def open_till_rotation(self, response: Response) -> Response:
        """The answer to the rotation of a till's key with the new one."""
        return opened(response, KeyRotationAnswer, self._open_till_rotation)

    def open_stores(self, response: Response) -> Response:
        """The answer to a batch of stores with the keys of their tills."""
        return opened(response, StoresAnswer, self._open_stores)

    def open_client(self, response: Response) -> Response:
        """The answer to a client's registration with its secret."""
        return opened(response, ClientAnswer, self._open_client)

    def open_rotation(self, response: Response) -> Response:
        """The answer to a rotation with the new secret."""
        return opened(response, RotationAnswer, self._open_rotation)

    def _open_till(self, answer: TillAnswer) -> TillAnswer:
        about = _till(answer.partner_id, answer.store_id, answer.till_id)
        return answer.model_copy(update={"till_key": self._seal.open(answer.till_key, about)})

    def _open_till_rotation(self, answer: KeyRotationAnswer) -> KeyRotationAnswer:
        about = _till(answer.partner_id, answer.store_id, answer.till_id)
        return answer.model_copy(update={"till_key": self._seal.open(answer.till_key, about)})

    def _open_stores(self, answer: StoresAnswer) -> StoresAnswer:
        stores = [self._open_store(answer.partner_id, store) for store in answer.stores]
        return answer.model_copy(update={"stores": stores})

    def _open_store(self, partner_id: str, store: StoreOutcome) -> StoreOutcome:
        tills = [
            TillKey(
                till_id=till.till_id,
                till_key=self._seal.open(till.till_key, _till(partner_id, store.store_id, till.till_id)),
            )
            for till in store.tills
        ]
        return store.model_copy(update={"tills": tills})

    def _open_client(self, answer: ClientAnswer) -> ClientAnswer:
        secret = self._seal.open(answer.client_secret, _client(answer.client_id))
        return answer.model_copy(update={"client_secret": secret})

    def _open_rotation(self, answer: RotationAnswer) -> RotationAnswer:
        secret = self._seal.open(answer.client_secret, _client(answer.client_id))
        return answer.model_copy(update={"client_secret": secret})


def _till(partner_id: str, store_id: str, till_id: str) -> str:
    return f"till {partner_id}/{store_id}/{till_id}"


def _client(client_id: str) -> str:
    return f"client {client_id}"
