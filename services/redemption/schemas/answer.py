"""What every answer is."""

from pydantic import BaseModel, ConfigDict


class Answer(BaseModel):
    """An answer is not changed once it is made."""

    model_config = ConfigDict(frozen=True)
