"""The sections of a policy: each key with its type and bounds. `policy.py` puts them together."""

from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

Criterion = Literal["revenue", "gross_margin", "net_margin", "potential"]
Rule = Literal["cumulative_share", "absolute_value", "top_n", "quantile", "abc_curve"]
SHARE_DECIMALS = 6
MONEY_DECIMALS = 4
MOST_MONEY = 10**13
MOST_ACCOUNTS = 10**9


def _refuse_boolean(value: object) -> object:
    """Pydantic takes true for 1; a policy that says `window_months: true` is a slip."""
    if isinstance(value, bool):
        raise ValueError(f"{str(value).lower()} must be a number; correct the value")
    return value


def _text_of_whole_number(value: object) -> object:
    """Tiers may be named 1, 2, 3: YAML reads those as numbers."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


NotBoolean = BeforeValidator(_refuse_boolean)
Share = Annotated[Decimal, NotBoolean, Field(ge=0, le=1, decimal_places=SHARE_DECIMALS)]
Ratio = Annotated[Decimal, NotBoolean, Field(ge=0, lt=1_000, decimal_places=SHARE_DECIMALS)]
Money = Annotated[Decimal, NotBoolean, Field(ge=0, lt=10**12, decimal_places=4)]
Months = Annotated[int, NotBoolean, Field(ge=1, le=120)]
Count = Annotated[int, NotBoolean, Field(ge=0, le=1_000_000_000)]
Days = Annotated[int, NotBoolean, Field(ge=0, le=36_500)]
TierName = Annotated[
    str,
    BeforeValidator(_text_of_whole_number),
    StringConstraints(strip_whitespace=True, min_length=1, max_length=40),
]


class Section(BaseModel):
    """A part of the policy: unknown keys are refused, values do not change once read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Scheme(Section):
    """How one criterion is cut into tiers; `cut_points` run from the best tier downwards.

    A cut point is a share of the total (cumulative_share), an amount (absolute_value), a number of accounts
    (top_n) or a share of the accounts (quantile). `abc_curve` finds the ends of two tiers by itself: its cut
    points only name them.
    """

    criterion: Criterion
    rule: Rule = "cumulative_share"
    cut_points: dict[TierName, Annotated[Decimal, NotBoolean] | None]
    lowest_tier: TierName
    crossing_account: Literal["include", "exclude", "nearest"] = "include"
    population: Literal["all", "business_unit", "country", "industry"] = "all"

    @field_validator("cut_points")
    @classmethod
    def _cut_points_rise(
        cls, points: dict[str, Decimal | None], info: ValidationInfo
    ) -> dict[str, Decimal | None]:
        if not points:
            raise ValueError("no tier; name at least one, such as {A: 0.80}")
        rule = info.data.get("rule", "cumulative_share")
        if rule == "abc_curve":
            if len(points) != 2:
                raise ValueError(
                    f"{len(points)} tiers; abc_curve finds the ends of two, so name two, such as {{A:, B:}}"
                )
            return dict.fromkeys(points)
        check = {"absolute_value": _check_amount, "top_n": _check_number}.get(rule, _check_share)
        given = {}
        for tier, point in points.items():
            if point is None:
                raise ValueError(f"{tier} has no cut point; write one, such as 0.80")
            check(tier, point)
            given[tier] = point
        # Absolute values fall from the best tier on.
        sign, order = (-1, "falling amounts") if rule == "absolute_value" else (1, "rising shares")
        if rule == "top_n":
            order = "rising numbers"
        for (better, upper), (tier, point) in pairwise(given.items()):
            if not sign * point > sign * upper:
                relation = "less" if sign < 0 else "greater"
                raise ValueError(
                    f"{tier} ({point}) must be {relation} than {better} ({upper}); "
                    f"list the tiers from best to last with {order}"
                )
        return points

    @field_validator("lowest_tier")
    @classmethod
    def _lowest_tier_is_another(cls, tier: str, info: ValidationInfo) -> str:
        if tier in info.data.get("cut_points", {}):
            raise ValueError(f"{tier} is also a cut point; name a tier for the rest, such as D")
        return tier

    @property
    def tiers(self) -> tuple[str, ...]:
        """All tiers, the best first."""
        return (*self.cut_points, self.lowest_tier)


def _check_share(tier: str, point: Decimal) -> None:
    if not 0 < point < 1:
        raise ValueError(
            f"{tier} ({point}) must lie between 0 and 1, both excluded; write 80% as 0.80, "
            "and leave what is left to lowest_tier"
        )
    if _decimals(point) > SHARE_DECIMALS:
        raise ValueError(f"{tier} ({point}) has more than {SHARE_DECIMALS} decimals; round it")


def _check_amount(tier: str, point: Decimal) -> None:
    if not 0 < point < MOST_MONEY or _decimals(point) > MONEY_DECIMALS:
        raise ValueError(
            f"{tier} ({point}) must be an amount above 0 with at most {MONEY_DECIMALS} decimals; "
            "what is not positive belongs to the lowest tier anyway"
        )


def _check_number(tier: str, point: Decimal) -> None:
    if not 0 < point <= MOST_ACCOUNTS or point != int(point):
        raise ValueError(
            f"{tier} ({point}) must be a whole number of accounts from 1 to {MOST_ACCOUNTS}; correct it"
        )


def _decimals(point: Decimal) -> int:
    exponent = point.normalize().as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


class Cap(Section):
    """The most accounts that a tier may have, in total and per owner; null = no limit."""

    total: Count | None = None
    per_owner: Count | None = None


class FinalTier(Section):
    """From the computed tier to the final one: matrix, stability, overrides, caps."""

    matrix: str = "default"
    demotion_patience_months: Months
    new_customer_months: Annotated[int, NotBoolean, Field(ge=0, le=120)]
    override_max_days: Annotated[int, NotBoolean, Field(ge=1, le=36_500)]
    override_budget: dict[TierName, Share]
    caps: dict[TierName, Cap]


class Currency(Section):
    """Conversion: age of a rate in days, decimals of a converted line."""

    max_rate_age_days: Annotated[int, NotBoolean, Field(ge=0, le=366)]
    line_decimals: Literal["minor_unit"] | Annotated[int, NotBoolean, Field(ge=0, le=4)]

    @field_validator("line_decimals", mode="before")
    @classmethod
    def _decimals_are_known(cls, value: object) -> object:
        whole = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 4
        if value != "minor_unit" and not whole:
            raise ValueError(f"{value} must be minor_unit or a whole number from 0 to 4")
        return value


class Identity(Section):
    """Matching of CRM accounts and ERP customers."""

    probabilistic: bool
    accept_probability: Share
    review_probability: Share
    public_email_domains: str = "default"

    @field_validator("review_probability")
    @classmethod
    def _review_is_not_above_accept(cls, review: Decimal, info: ValidationInfo) -> Decimal:
        accept = info.data.get("accept_probability")
        if accept is not None and review > accept:
            raise ValueError(f"{review} must not be above accept_probability ({accept}); lower it")
        return review


class Potential(Section):
    """Estimates of what an account could buy in a year."""

    horizon_months: Months
    min_peers: Annotated[int, NotBoolean, Field(ge=1)]
    peer_quantile: Share


class Exclusions(Section):
    """Accounts kept out of the ranking, and in the totals."""

    one_time: bool
    intercompany: bool
    placeholders: bool


class Concentration(Section):
    """From which share of revenue on a customer is a major one."""

    major_customer_share: Share


class Gate(Section):
    """What a run may deviate by and still be published."""

    max_rejected_share: Share
    max_row_count_drop: Share
    max_revenue_change: Ratio
    min_cost_coverage: Share
    min_population: Count
    control_total_tolerance: Money = Decimal("0.01")


class Publication(Section):
    """How long releases and removed accounts stay."""

    keep_releases: Annotated[int, NotBoolean, Field(ge=1)]
    inactive_days: Days


def _own_minimums(value: object) -> object:
    """`default`, or rows by destination: a company may ask for longer lists than the destination does."""
    if value == "default":
        return value
    if not isinstance(value, dict):
        raise ValueError(
            f"{value} is neither default nor rows by destination; write default, or such as "
            "{meta_custom_audience: 1000}"
        )
    # Only who names a minimum needs the destinations.
    from dagster_project.lib.audiences.destinations import load_destinations

    known = load_destinations()
    for name, rows in value.items():
        if name not in known:
            raise ValueError(f"{name} is no destination; name one of {', '.join(known)}")
        least = known[name].minimum_rows
        if isinstance(rows, bool) or not isinstance(rows, int) or rows < least:
            raise ValueError(
                f"{name}: {rows} must be a whole number from {least} on, which the destination asks for"
            )
    return value


class Audiences(Section):
    """Minimum sizes of audiences, and the consent that a contact needs to be in one.

    `minimums`: rows by destination where a company asks for more than the destination; a consent that is
    not required is no choice that a file can make.
    """

    minimums: Annotated[Literal["default"] | dict[str, int], BeforeValidator(_own_minimums)] = (
        "default"
    )
    consent: Literal["required"] = "required"

    def minimum_rows(self) -> dict[str, int]:
        """The minimums that differ from the destinations' own."""
        return {} if self.minimums == "default" else dict(self.minimums)
