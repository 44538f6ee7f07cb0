"""What HTTP says of partners' operators. Staff numbers and cards come in and never go out."""

from typing import Annotated, Literal, Self, TypeAlias

from fastapi import Path
from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from services.coalition.domain.operators import Operator
from services.coalition.schemas.fields import AnswerModel, refuse_repeated
from shared.web import Body

OPERATORS_MAX = 1_000
CARD_TEXT_LENGTH_MAX = 64

# As receipts bear it: where the two are read differently, their hashes never meet.
StaffNumber: TypeAlias = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=64),
    Field(description="The staff number, as receipts bear it in operator_id. Its keyed hash alone is kept."),
]
CardNumber: TypeAlias = Annotated[
    str,
    Field(
        min_length=1,
        max_length=CARD_TEXT_LENGTH_MAX,
        description="The number of the operator's own member card. Its keyed hash alone is kept.",
    ),
]
OperatorHashInPath: TypeAlias = Annotated[str, Path(pattern=r"^[0-9]{1,9}\.[A-Za-z0-9_-]{43}$")]
State: TypeAlias = Literal["active", "left"]


class OperatorBody(Body):
    """An operator who is at work."""

    operator_id: StaffNumber
    own_card: CardNumber | None = None


class OperatorsBody(Body):
    """Operators that are registered together."""

    operators: Annotated[list[OperatorBody], Field(min_length=1, max_length=OPERATORS_MAX)]

    @model_validator(mode="after")
    def _operators_differ(self) -> Self:
        refuse_repeated([operator.operator_id for operator in self.operators], "operator_id")
        return self


class OperatorChangeBody(Body):
    """What changes of an operator. What is left out stays; null takes the own card away, and so does leaving."""

    state: State | None = None
    own_card: CardNumber | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise PydanticCustomError("nothing_to_change", "Name at least one field to change")
        return self


class OperatorAnswer(AnswerModel):
    """An operator. ``operator_hash`` is what receipts bear of the staff number outside the door."""

    partner_id: str
    operator_hash: str
    state: State
    has_own_card: bool
    version: int

    @classmethod
    def of(cls, operator: Operator) -> Self:
        """The answer for an operator."""
        return cls(
            partner_id=operator.partner_id,
            operator_hash=operator.operator_hash,
            state=operator.state,
            has_own_card=operator.has_own_card,
            version=operator.version,
        )


class OperatorOutcome(AnswerModel):
    """What became of one operator of a batch: one that ``existed`` stays as it is."""

    operator_hash: str
    outcome: Literal["registered", "existed"]


class OperatorsAnswer(AnswerModel):
    """One outcome an operator, in the order of the request."""

    partner_id: str
    operators: list[OperatorOutcome]
