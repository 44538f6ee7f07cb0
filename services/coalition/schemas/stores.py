"""What HTTP says of stores and tills."""

from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from services.coalition.domain.registry import Store
from services.coalition.schemas.fields import AnswerModel, Name, TimeZone, refuse_repeated
from shared.events.coalition import KeyScheme
from shared.web import Body, CodeText

STORES_MAX = 1_000
TILLS_PER_STORE_MAX = 100
TILLS_MAX = 5_000


class StoreBody(Body):
    """A shop."""

    store_id: CodeText
    name: Name
    time_zone: TimeZone


class TillBody(Body):
    """A point of sale. ``key_scheme`` says, once and for ever, how its receipts are numbered."""

    till_id: CodeText
    key_scheme: KeyScheme


class StoreWithTillsBody(StoreBody):
    """A shop with its points of sale."""

    tills: list[TillBody] = Field(default_factory=list, max_length=TILLS_PER_STORE_MAX)

    @model_validator(mode="after")
    def _tills_differ(self) -> Self:
        refuse_repeated([till.till_id for till in self.tills], "till_id")
        return self


class StoresBody(Body):
    """Many shops at once, for onboarding."""

    stores: list[StoreWithTillsBody] = Field(min_length=1, max_length=STORES_MAX)

    @model_validator(mode="after")
    def _stores_differ(self) -> Self:
        refuse_repeated([store.store_id for store in self.stores], "store_id")
        if sum(len(store.tills) for store in self.stores) > TILLS_MAX:
            raise PydanticCustomError(
                "too_many_tills",
                "One batch takes {tills_max} tills: send the rest in another",
                {"tills_max": TILLS_MAX},
            )
        return self


class StoreAnswer(AnswerModel):
    """A shop."""

    partner_id: str
    store_id: str
    name: str
    time_zone: str
    version: int

    @classmethod
    def of(cls, store: Store) -> Self:
        """The answer for a store."""
        return cls(
            partner_id=store.partner_id,
            store_id=store.store_id,
            name=store.name,
            time_zone=store.time_zone,
            version=store.version,
        )


class TillAnswer(AnswerModel):
    """A new point of sale, with its key: shown in this answer and its replays, and nowhere else."""

    partner_id: str
    store_id: str
    till_id: str
    key_scheme: KeyScheme
    version: int
    till_key: str = Field(repr=False, examples=["tk_…"])


class TillKey(AnswerModel):
    """A new till's key."""

    till_id: str
    till_key: str = Field(repr=False, examples=["tk_…"])


class StoreOutcome(AnswerModel):
    """What became of one store of a batch. One that existed stays as it is, and so do its tills."""

    store_id: str
    outcome: Literal["registered", "existed"]
    tills: list[TillKey]


class StoresAnswer(AnswerModel):
    """One outcome a store, in the order of the request."""

    partner_id: str
    stores: list[StoreOutcome]
