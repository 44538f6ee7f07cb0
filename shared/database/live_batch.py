"""Many look-ups, few statements: what is asked while one statement is under way is asked together by the next.

No timer and no window: a look-up that comes alone goes out at once, and the more come, the more share a statement.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import islice
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

KEYS_MAX = 500


class LiveBatch(Generic[K, V]):
    """Answers single look-ups by ``load``, which takes many keys and gives what it found. One statement at a time.

    A look-up is answered by a statement that began after it came, so whoever asks after a commit sees it. What ``load``
    raises reaches everybody who waited for that statement, and nobody else.
    """

    def __init__(self, load: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]], keys_max: int = KEYS_MAX) -> None:
        self._load = load
        self._keys_max = keys_max
        self._waiting: dict[K, list[asyncio.Future[V | None]]] = {}
        self._running: asyncio.Task[None] | None = None

    async def find(self, key: K) -> V | None:
        """What there is for this key, or None."""
        answer: asyncio.Future[V | None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, []).append(answer)
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        return await answer

    async def _run(self) -> None:
        while self._waiting:
            asked = {key: self._waiting.pop(key) for key in list(islice(self._waiting, self._keys_max))}
            loading = asyncio.ensure_future(self._load(list(asked)))
            await asyncio.wait((loading,))
            for key, answers in asked.items():
                for answer in answers:
                    if not answer.done():  # whoever asked may have gone away
                        _settle(answer, key, loading)
        self._running = None


def _settle(answer: "asyncio.Future[V | None]", key: K, loading: "asyncio.Future[Mapping[K, V]]") -> None:
    if loading.cancelled():
        answer.cancel()
    elif (error := loading.exception()) is not None:
        answer.set_exception(error)
    else:
        answer.set_result(loading.result().get(key))
