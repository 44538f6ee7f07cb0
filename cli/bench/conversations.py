"""A load of two requests each: the second says what was learnt from the answer to the first, as a till does."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

from cli.bench.http_load import ANSWER_SECONDS_MAX, Connection, Latencies

# Of the number of a conversation and the answer to its first request the second one follows.
Following: TypeAlias = Callable[[int, bytes], bytes]


class Conversations(NamedTuple):
    """How long answers took: to what was asked first, from when it was due; to what followed, from when it was sent."""

    first: Latencies
    second: Latencies


class _Talk:
    """Which conversation a connection is in, and whether its second request is out."""

    def __init__(self) -> None:
        self.number = 0
        self.is_second = False


async def converse(
    port: int, connections: int, requests: Sequence[bytes], per_second: float, following: Following, status: int
) -> Conversations:
    """Begin conversations at a steady rate whatever the answers do; each keeps its connection until it is over.

    What follows is asked as soon as the first answer, of this ``status``, is there. A conversation whose first answer
    has another status ends with it.
    """
    loop = asyncio.get_running_loop()
    told = Conversations(Latencies(), Latencies())
    talks: dict[Connection, _Talk] = {}
    free: deque[Connection] = deque()
    someone_free, over = asyncio.Event(), asyncio.Event()
    ended = 0

    def answered(connection: Connection, answer: int) -> None:
        nonlocal ended
        talk, now_seconds = talks[connection], time.perf_counter()
        figures = told.second if talk.is_second else told.first
        figures.seconds.append(now_seconds - connection.due_seconds)
        figures.statuses[answer] = figures.statuses.get(answer, 0) + 1
        if not talk.is_second and answer == status:
            talk.is_second = True
            connection.send(following(talk.number, connection.body), now_seconds)
            return
        ended += 1
        free.append(connection)
        someone_free.set()
        if ended == len(requests):
            over.set()

    for _ in range(connections):
        _, connection = await loop.create_connection(lambda: Connection(answered, keeps_bodies=True), "127.0.0.1", port)
        talks[connection] = _Talk()
        free.append(connection)
    began_seconds = time.perf_counter()
    for number, request in enumerate(requests):
        due_seconds = began_seconds + number / per_second
        await asyncio.sleep(max(0.0, due_seconds - time.perf_counter()))
        while not free:
            someone_free.clear()
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                await someone_free.wait()
        connection = free.popleft()
        talks[connection].number, talks[connection].is_second = number, False
        connection.send(request, due_seconds)
    async with asyncio.timeout(ANSWER_SECONDS_MAX):
        await over.wait()
    for figures in told:
        figures.lasted_seconds = time.perf_counter() - began_seconds
    for connection in talks:
        connection.close()
    return told
