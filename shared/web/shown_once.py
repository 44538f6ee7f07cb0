"""Answers that hold a secret: stored sealed for a retry (``shared.sealing``), opened on their way out."""

from collections.abc import Callable
from typing import TypeVar

from fastapi import Response
from pydantic import BaseModel

A = TypeVar("A", bound=BaseModel)


def opened(response: Response, model: type[A], open_answer: Callable[[A], A]) -> Response:
    """The same answer, header for header, with its secrets readable; a refusal has none and stays as it is."""
    if response.status_code >= 400:
        return response
    answer = open_answer(model.model_validate_json(bytes(response.body)))
    kept = {name: value for name, value in response.headers.items() if name != "content-length"}
    kept["cache-control"] = "no-store"
    return Response(answer.model_dump_json(), response.status_code, headers=kept)
