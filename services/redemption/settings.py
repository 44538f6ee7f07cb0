"""Settings of redemption, beside those that every service has."""

from datetime import timedelta
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, field_validator, model_validator

from services.redemption.credentials.voucher_codes import VoucherKeys
from services.redemption.domain.confirming import Ceiling
from services.redemption.domain.gifting import GiftLimits
from services.redemption.domain.hold_lives import CHANNEL_DEFAULT, HOLD_LIVES, HoldLife
from services.redemption.domain.holding import FreshFacts
from services.redemption.domain.receipt_message import Language
from services.redemption.domain.tender import Pricing
from services.redemption.programme import Programme
from shared.runtime.code_settings import CodeSettings
from shared.runtime.settings import ENV_PREFIX
from shared.runtime.till_settings import TillSettings

HttpUrl = Annotated[str, Field(pattern=r"^https?://")]


class RedemptionSettings(TillSettings, CodeSettings):
    """What redemption needs."""

    minor_per_point: int = Field(
        default=1,
        ge=1,
        le=1_000_000,
        description="What one point of the programme's own pays at a till, in minor units of the currency (1: a cent).",
    )
    tender_batch_max: int = Field(
        default=200,
        ge=1,
        le=2_000,
        description="How many receipts with points tenders one transaction settles at most.",
    )
    ledger_hold_ms_max: int = Field(
        default=10,
        ge=1,
        le=1_000,
        description="Batches shrink while they keep ledger rows locked longer: 10 beside tills, 50 to catch up.",
    )
    hold_points_max_while_behind: int = Field(
        default=5_000,
        ge=0,
        description="A hold of more points is refused with 503 while the members' topic was last read to its end over "
        "10 seconds ago: a member may have been suspended, or a card blocked, since.",
    )

    quote_valid_seconds: int = Field(
        default=900,
        ge=10,
        le=86_400,
        description="How long a quote's price holds, in seconds: a hold that names it later is priced anew.",
    )
    quote_kept_seconds: int = Field(
        default=3_600,
        ge=60,
        le=2_592_000,
        description="How long a quote is kept after its price has ended, in seconds, unless a hold has named it: later "
        "holds that name it are refused.",
    )
    privilege_reserved_seconds: int = Field(
        default=900,
        ge=10,
        le=86_400,
        description="How long a use of a privilege is kept for a till conversation whose receipt does not come.",
    )
    token_url: HttpUrl = Field(
        default="http://127.0.0.1:8002/oauth/token", description="Where the coalition service gives out tokens."
    )
    client_id: str = Field(
        default="redemption",
        min_length=1,
        description="The API client with scopes baskets:preview, returns:preview, members:name, pins:verify and "
        "decisions:write.",
    )
    client_secret: SecretStr = Field(description="That client's secret.")
    accrual_url: HttpUrl = Field(
        default="http://127.0.0.1:8003", description="The accrual service, which knows what a basket earns."
    )
    members_url: HttpUrl = Field(
        default="http://127.0.0.1:8001",
        description="The members service, which knows names for cashiers and members' PINs.",
    )
    checkout_part_ms_max: int = Field(
        default=150,
        ge=10,
        le=5_000,
        description="How long a checkout waits for each part of its answer, in milliseconds; what is late is left out. "
        "All is answered within twice that. A quote of a return waits as long for what accrual says of it.",
    )
    receipt_language: Language = Field(
        default="en", description="The language of the message for the receipt that a checkout answers: en or es."
    )
    fraud_url: HttpUrl | None = Field(
        default=None,
        description="The fraud service, which is asked before points leave (holds, gifts). Not set: nobody is asked.",
    )
    fraud_deadline_ms: int = Field(
        default=50, ge=5, le=10_000, description="How long its answer is waited for, in milliseconds."
    )
    pin_deadline_ms: int = Field(
        default=1_000,
        ge=50,
        le=10_000,
        description="How long members' word on a PIN is waited for, in milliseconds. Comparing one takes some 40.",
    )
    unasked_points_max: int = Field(
        default=2_000,
        ge=0,
        description="How many points may leave at once while fraud does not answer; they are scored afterwards.",
    )
    unasked_beyond: Literal["step_up", "deny"] = Field(
        default="step_up",
        description="What becomes of more points meanwhile: step_up (the member confirms them by a code) or deny.",
    )
    debt_stops_spending: bool = Field(
        default=False,
        description="Whether a member who owes points may spend none that others of the household lend, either.",
    )

    uncovered_charged_to: Literal["partner", "member"] = Field(
        default="partner",
        description="Who bears what a receipt was paid with and no balance covers: the partner, whose loss it is, or "
        "the member, who owes it to the partner.",
    )
    hold_lives: dict[str, HoldLife] = Field(
        default=dict(HOLD_LIVES),
        description="How long a hold lives, by the channel of its checkout: seconds where a request does not say, and "
        "at most, and whether several receipts take their parts of it. A request without a channel is a till's.",
    )
    came_back_days: int = Field(
        default=14,
        ge=0,
        le=366,
        description="How many days points can still be spent that come back after their own last day: from a hold that "
        "is let go or ends, or for a receipt that was voided. 0: they lapse at once.",
    )

    gift_points_max: int = Field(
        default=5_000,
        ge=0,
        description="How many points a member may give to another one at once; 0: members give each other none.",
    )
    gift_points_per_day_max: int = Field(
        default=10_000, ge=0, description="How many points of a type a member may give to others in a day."
    )
    gift_points_per_month_max: int = Field(
        default=50_000, ge=0, description="How many points of a type a member may give to others in a calendar month."
    )

    @field_validator("hold_lives")
    @classmethod
    def _till_is_there(cls, lives: dict[str, HoldLife]) -> dict[str, HoldLife]:
        if CHANNEL_DEFAULT not in lives:
            raise ValueError(f"hold_lives needs the channel {CHANNEL_DEFAULT}: that of whoever names none")
        return lives

    voucher_keys: SecretStr = Field(
        default=SecretStr(""),
        description="What vouchers' codes are hashed and sealed with: <id>:<64 hex digits> (openssl rand -hex 32), "
        "separated by commas. The first seals, all find and open, so that a key goes only when its last voucher has; "
        "at most 4. Empty: no rewards are issued.",
    )

    @model_validator(mode="after")
    def _has_what_asking_takes(self) -> Self:
        if self.fraud_url is not None and self.one_time_code_keys.current_id is None:
            raise ValueError(f"{ENV_PREFIX}CODE_KEYS: set it where {ENV_PREFIX}FRAUD_URL is set, for members' codes")
        return self

    @field_validator("voucher_keys")
    @classmethod
    def _are_voucher_keys(cls, value: SecretStr) -> SecretStr:
        VoucherKeys.parse(value.get_secret_value())
        return value

    reward_reservation_seconds: int = Field(
        default=900, ge=10, le=86_400, description="How long a reward is kept for a member who has not paid for it yet."
    )

    @property
    def quotes_kept_for(self) -> timedelta:
        """How long a quote is kept that no hold has named."""
        return timedelta(seconds=self.quote_valid_seconds + self.quote_kept_seconds)

    @property
    def reserved_for(self) -> timedelta:
        """How long a reward is kept for a member."""
        return timedelta(seconds=self.reward_reservation_seconds)

    @property
    def ceiling(self) -> Ceiling:
        """What goes while fraud does not answer."""
        return Ceiling(self.unasked_points_max, self.unasked_beyond)

    @property
    def parsed_voucher_keys(self) -> VoucherKeys:
        """The keys, ready to use."""
        return VoucherKeys.parse(self.voucher_keys.get_secret_value())

    @property
    def gift_limits(self) -> GiftLimits:
        """How much a member may give."""
        return GiftLimits(self.gift_points_max, self.gift_points_per_day_max, self.gift_points_per_month_max)

    @property
    def programme(self) -> Programme:
        """The programme's settings as the use cases want them."""
        return Programme(
            point_type=self.point_type,
            pricing=Pricing(self.currency, self.minor_per_point, self.point_type, self.point_types.prices),
            country=self.country,
            identifier_keys=self.hashing_keys,
            fresh_facts=FreshFacts(self.hold_points_max_while_behind),
            topic_partitions=self.topic_partitions,
            zone=ZoneInfo(self.time_zone),
            qr_keys=self.qr_token_keys,
            capabilities=self.identifier_capabilities,
            point_types=self.point_types,
            debt_stops_spending=self.debt_stops_spending,
            came_back_days=self.came_back_days,
            members_owe=self.uncovered_charged_to == "member",
            hold_lives=self.hold_lives,
        )
