"""The rules, one file each. A rule is its parameters and a pure judgement of one receipt."""

from typing import Annotated

from pydantic import Field

from services.fraud.domain.rules.claims import Claims
from services.fraud.domain.rules.ins_swipe import InsSwipe
from services.fraud.domain.rules.vel_earn import VelEarn

Rule = Annotated[InsSwipe | VelEarn | Claims, Field(discriminator="code")]

# Every rule with its parameters, in the order in which they are evaluated.
RULES: tuple[Rule, ...] = (InsSwipe(own_card_receipts=3), VelEarn(), Claims())
