"""What answers are made of."""

from pydantic import BaseModel, ConfigDict


class Answer(BaseModel):
    """What a route answers with. Absent fields are left out."""

    model_config = ConfigDict(frozen=True)
