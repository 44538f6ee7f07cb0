"""What members is told by its environment, beside what every service is."""

from datetime import timedelta
from typing import Annotated, get_args

from pydantic import Field, SecretStr, field_validator

from services.members.domain.cards import VIRTUAL_PREFIX_DIGITS_MAX, CheckDigit
from services.members.domain.households import HouseholdLimits
from services.members.domain.identities import Identities
from services.members.domain.leaving import NOTICE_DAYS_MAX, LeavingPolicy, leaving_terms
from services.members.domain.pins import PinRules
from services.members.domain.registry import IdentifierKind
from services.members.sealing.master_keys import MasterKeys
from shared.runtime.till_settings import QrSettings

HttpUrl = Annotated[str, Field(pattern=r"^https?://")]

DEFAULT_STATUS_REASONS = (
    "member_request,inactivity,card_lost,card_stolen,fraud_suspected,fraud_confirmed,fraud_cleared,terms_breached,"
    "not_verified,verified,minor,of_age,deceased,duplicate,mistake,data_subject_request,retention_ended"
)


class MembersSettings(QrSettings):
    """The keys that keep persons unreadable outside this service, and how long things last."""

    master_keys: SecretStr = Field(
        description="What members' own keys are wrapped with: <id>:<64 hex digits> (openssl rand -hex 32), separated "
        "by commas. The first wraps, all unwrap; at most 4. Who loses one loses every person under it."
    )

    consent_confirmation_hours: int = Field(
        default=72, ge=1, le=8_760, description="How long an e-mail consent waits for its confirmation, in hours."
    )
    status_reasons: str = Field(
        default=DEFAULT_STATUS_REASONS,
        pattern=r"^[A-Za-z0-9._:-]{1,64}(,[A-Za-z0-9._:-]{1,64})*$",
        max_length=2_000,
        description="The codes that say why a member's status is changed, separated by commas. A code that was used "
        "stays in histories and events when it is taken away here.",
    )
    terms_notice_days: int = Field(
        default=30,
        ge=0,
        le=3_650,
        description="How many days before it takes effect a change of terms is announced.",
    )

    household_members_max: int = Field(
        default=6, ge=2, le=50, description="How many members a household has at most, with those who are invited."
    )
    household_changes_per_year_max: int = Field(
        default=4,
        ge=1,
        le=100,
        description="How often a member may found, join and leave households in 365 days. Leaving counts, and is "
        "never refused.",
    )
    household_invitation_hours: int = Field(
        default=168, ge=1, le=8_760, description="How long an invitation to a household can be accepted, in hours."
    )
    household_leaving_policy: LeavingPolicy = Field(
        default="takes_own",
        description="What becomes of the unspent points of who leaves a household: takes_own or stays_with_household. "
        "Binds who joins from then on and has agreed to it.",
    )
    household_leaving_notice_days: int = Field(
        default=30,
        ge=0,
        le=NOTICE_DAYS_MAX,
        description="With stays_with_household: how many days after contributing was ended points go on staying.",
    )

    token_url: HttpUrl = Field(
        default="http://127.0.0.1:8002/oauth/token", description="Where the coalition service gives out tokens."
    )
    client_id: str = Field(
        default="members", min_length=1, description="The API client that has the scope members:data, for exports."
    )
    client_secret: SecretStr = Field(description="That client's secret.")
    accrual_url: HttpUrl = Field(
        default="http://127.0.0.1:8003", description="The accrual service, for exports of members' data."
    )
    redemption_url: HttpUrl = Field(
        default="http://127.0.0.1:8004", description="The redemption service, for exports of members' data."
    )
    fraud_url: HttpUrl = Field(
        default="http://127.0.0.1:8005", description="The fraud service, for exports of members' data."
    )
    notifications_url: HttpUrl = Field(
        default="http://127.0.0.1:8006", description="The notifications service, for exports of members' data."
    )
    duplicate_score_percent_min: int = Field(
        default=80,
        ge=1,
        le=100,
        description="How alike two members are, in percent, to be listed as candidates for one person. It counts for "
        "members who are compared from now on.",
    )

    pin_tries_max: int = Field(default=5, ge=1, le=20, description="How many wrong PINs in a row lock a member's PIN.")
    pin_locked_seconds: int = Field(
        default=3_600,
        ge=60,
        le=86_400,
        description="How long a PIN is locked the first time, in seconds; each time that follows twice as long, up "
        "to a day, until somebody knows it.",
    )
    pin_rests_seconds: int = Field(
        default=86_400,
        ge=0,
        le=2_592_000,
        description="How long a PIN that follows none confirms nothing yet, in seconds: whoever has got hold of an "
        "account could set one.",
    )

    @field_validator("master_keys")
    @classmethod
    def _are_master_keys(cls, value: SecretStr) -> SecretStr:
        MasterKeys.parse(value.get_secret_value())
        return value

    identifier_match_order: tuple[IdentifierKind, ...] = Field(
        default=("token", "card", "phone"),
        description="Which of several identifiers that a till has read says who is there: a JSON list of card, phone "
        "and token, each once.",
    )

    card_check_digit: CheckDigit = Field(
        default="none",
        description="What check digit a card must have to be linked: none, or luhn. Cards that are linked stay so.",
    )
    virtual_card_prefix: str = Field(
        default="98",
        pattern=rf"^[0-9]{{0,{VIRTUAL_PREFIX_DIGITS_MAX}}}$",
        description="What the numbers of virtual cards begin with: up to 3 digits that no printed card begins with.",
    )

    @field_validator("identifier_match_order")
    @classmethod
    def _names_each_type_once(cls, value: tuple[IdentifierKind, ...]) -> tuple[IdentifierKind, ...]:
        if sorted(value) != sorted(get_args(IdentifierKind)):
            raise ValueError("it must name card, phone and token, each once")
        return value

    @property
    def identities(self) -> Identities:
        """How values become hashes in this programme."""
        return Identities(self.hashing_keys, self.country, self.card_check_digit)

    @property
    def reasons(self) -> frozenset[str]:
        """Why a status may be changed."""
        return frozenset(self.status_reasons.split(","))

    @property
    def keys(self) -> MasterKeys:
        """The master keys."""
        return MasterKeys.parse(self.master_keys.get_secret_value())

    @property
    def consent_confirmed_within(self) -> timedelta:
        """How long a consent waits for its confirmation."""
        return timedelta(hours=self.consent_confirmation_hours)

    @property
    def terms_notice(self) -> timedelta:
        """How long before it takes effect a change of terms is announced."""
        return timedelta(days=self.terms_notice_days)

    @property
    def pin_rules(self) -> PinRules:
        """When PINs are locked, and from when on they count."""
        return PinRules(
            self.pin_tries_max, timedelta(seconds=self.pin_locked_seconds), timedelta(seconds=self.pin_rests_seconds)
        )

    @property
    def household_limits(self) -> HouseholdLimits:
        """How large households may be, how often they may be changed, how long an invitation lasts, and what becomes of
        the points of who leaves."""
        return HouseholdLimits(
            members_max=self.household_members_max,
            changes_per_year_max=self.household_changes_per_year_max,
            invitation_lasts=timedelta(hours=self.household_invitation_hours),
            leaving=leaving_terms(self.household_leaving_policy, self.household_leaving_notice_days),
        )
