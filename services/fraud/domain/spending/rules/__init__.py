"""The rules over spending, one file each. A rule is its parameters, its figures, and its reason in plain words.

Windows are in the time of asking and end with the ask; earlier asks count whatever became of them.
"""

from typing import Annotated

from pydantic import Field

from services.fraud.domain.spending.rules.identifier_changed import IdentifierChanged
from services.fraud.domain.spending.rules.spend_amount import SpendAmount
from services.fraud.domain.spending.rules.till_hop import TillHop
from services.fraud.domain.spending.rules.vel_burn import VelBurn

SpendRule = Annotated[SpendAmount | VelBurn | TillHop | IdentifierChanged, Field(discriminator="code")]

# Every rule with its parameters, in the order in which they are evaluated.
SPEND_RULES: tuple[SpendRule, ...] = (SpendAmount(), VelBurn(), TillHop(), IdentifierChanged(counts_contact=True))
