"""What requests and answers are made of."""

from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

REFERENCE_LENGTH_MAX = 200

Source: TypeAlias = Annotated[
    str,
    Field(
        min_length=1,
        max_length=64,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$",
        description="Where it was said: web, app, till, call-centre, import and so on.",
    ),
]
Reference: TypeAlias = Annotated[
    str,
    Field(
        min_length=1,
        max_length=REFERENCE_LENGTH_MAX,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]*$",
        description="Where the proof is kept: the id of a form, a recording, a log entry. Never the proof itself.",
    ),
]


class AnswerModel(BaseModel):
    """What an answer is: a value that does not change."""

    model_config = ConfigDict(frozen=True)
