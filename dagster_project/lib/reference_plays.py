"""Plays and whitespace a second time, apart from the warehouse.

For tests that must not share a line with the SQL they judge: parts are fractions here, and an order is
Python's own.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from math import ceil, floor

EACH = "*"
UNKNOWN_FAMILY = "unknown"
MILLION = 1_000_000
MONEY = Decimal("0.0001")


@dataclass(frozen=True)
class Play:
    """A row of the playbook: `*` as tier or posture stands for each."""

    play_id: str
    tier: str
    posture: str
    trigger: str
    priority: int
    kind: str


@dataclass(frozen=True)
class Facts:
    """What the signals of an account are read from, at one as_of; money of the window."""

    relationship: str
    final_tier: str
    potential_tier: str | None = None
    revenue: Decimal = Decimal(0)
    revenue_previous: Decimal = Decimal(0)
    gross_margin: Decimal | None = None
    turnover: Decimal = Decimal(0)
    costed_turnover: Decimal = Decimal(0)
    has_invoice: bool = False
    is_new_customer: bool = False
    move: str | None = None
    has_whitespace: bool = False
    has_open_opportunity: bool = False
    risk_reasons: frozenset[str] = frozenset()
    coverage_status: str | None = None


def signals(
    facts: Facts, *, lowest_tier: str, trend_threshold: Decimal, min_cost_coverage: Decimal
) -> set[str]:
    """The triggers that hold for an account."""
    fell = Fraction(facts.revenue_previous) - Fraction(facts.revenue)
    margin = facts.gross_margin
    above_lowest = any(
        tier not in (None, lowest_tier) for tier in (facts.final_tier, facts.potential_tier)
    )
    holds = {
        "always": True,
        "at_risk_trend": facts.relationship == "customer"
        and facts.revenue_previous > 0
        and fell / Fraction(facts.revenue_previous) > Fraction(trend_threshold),
        "at_risk_recency": "recency" in facts.risk_reasons,
        "at_risk_margin": "margin_slide" in facts.risk_reasons,
        "at_risk_satisfaction": "satisfaction" in facts.risk_reasons,
        "under_served": facts.coverage_status == "under_served"
        and facts.relationship == "customer",
        "over_served": facts.coverage_status == "over_served" and facts.relationship == "customer",
        "unprofitable": margin is not None
        and margin < 0
        and Fraction(facts.costed_turnover)
        >= Fraction(min_cost_coverage) * Fraction(facts.turnover),
        "promoted": facts.move == "promoted" and facts.relationship == "customer",
        "demoted": facts.move == "demoted" and facts.relationship == "customer",
        "new_customer": facts.is_new_customer,
        "whitespace": facts.has_whitespace,
        "open_pipeline": facts.has_open_opportunity,
        "prospect_high_potential": not facts.has_invoice and above_lowest,
        "former_customer": facts.relationship == "former",
    }
    return {trigger for trigger, is_so in holds.items() if is_so}


def ranked_plays(
    tier: str,
    posture: str,
    triggers: Collection[str],
    *,
    playbook: Iterable[Play],
    urgency: Mapping[str, int],
) -> list[Play]:
    """The best play of each kind, the next one first; empty where none fits."""
    best: dict[str, Play] = {}
    fitting = [
        play
        for play in playbook
        if play.tier in (tier, EACH)
        and play.posture in (posture, EACH)
        and play.trigger in triggers
        and play.trigger in urgency
    ]
    for play in sorted(fitting, key=lambda p: (urgency[p.trigger], p.priority, p.play_id)):
        best.setdefault(play.kind, play)
    return list(best.values())


@dataclass(frozen=True)
class SizeBand:
    """Companies with this many employees, both ends inclusive; an open end is None."""

    name: str
    least: int
    most: int | None

    def holds(self, employees: int) -> bool:
        """Whether a company of this size belongs to the band."""
        return self.least <= employees and (self.most is None or employees <= self.most)


@dataclass(frozen=True)
class Buyer:
    """An account: its segment's two sides, and revenue of the window by product family."""

    industry: str | None
    employees: int | None
    families: Mapping[str, Decimal]
    is_active: bool = True
    is_excluded: bool = False

    @property
    def wallet(self) -> Decimal:
        """What it buys from us: its families of positive revenue."""
        return sum((amount for amount in self.families.values() if amount > 0), Decimal(0))

    def buys(self, family: str) -> bool:
        """Whether the revenue of the family is positive."""
        return self.families.get(family, Decimal(0)) > 0


@dataclass(frozen=True)
class Estimate:
    """One account and family; counts, parts and amounts of peers are None where there are too few of them."""

    buys: bool
    revenue: Decimal
    peer_count: int | None = None
    peers_buying_count: int | None = None
    peer_wallet_millionths: int | None = None
    peer_revenue: Decimal | None = None
    estimated_potential: Decimal | None = None
    method: str | None = None
    is_whitespace: bool = False


@dataclass(frozen=True)
class PeerRule:
    """The numbers of policy and seeds that whitespace depends on."""

    bands: Sequence[SizeBand]
    min_peers: int
    quantile: Decimal
    threshold: Decimal
    window_months: int = 12


def whitespace(accounts: Mapping[str, Buyer], rule: PeerRule) -> dict[tuple[str, str], Estimate]:
    """Every family that an active account bought, or that its segment buys where it has enough peers."""
    segments: dict[tuple[str, str], list[str]] = {}
    for key, account in accounts.items():
        segment = None if account.is_excluded else _segment(account, rule.bands)
        if segment and account.wallet > 0:
            segments.setdefault(segment, []).append(key)
    found: dict[tuple[str, str], Estimate] = {}
    for key, account in accounts.items():
        if account.is_excluded or not account.is_active:
            continue
        segment = _segment(account, rule.bands)
        customers = segments.get(segment, []) if segment else []
        peers = [peer for peer in customers if peer != key]
        families = set(account.families)
        if len(peers) >= rule.min_peers:
            families |= {
                family
                for customer in customers
                for family in accounts[customer].families
                if accounts[customer].buys(family) and family != UNKNOWN_FAMILY
            }
        for family in families:
            buyers = [c for c in customers if accounts[c].buys(family)]
            found[key, family] = _estimate(
                account, family, [accounts[b] for b in buyers], peer_count=len(peers), rule=rule
            )
    return found


def _segment(account: Buyer, bands: Iterable[SizeBand]) -> tuple[str, str] | None:
    if account.industry is None or account.employees is None:
        return None
    names = [band.name for band in bands if band.holds(account.employees)]
    return (account.industry, names[0]) if names else None


def _estimate(
    account: Buyer, family: str, buyers: list[Buyer], *, peer_count: int, rule: PeerRule
) -> Estimate:
    """`buyers` are all of the segment's, the account itself included where it buys the family."""
    buys, revenue = account.buys(family), account.families.get(family, Decimal(0))
    if not buyers or family == UNKNOWN_FAMILY or peer_count < rule.min_peers:
        return Estimate(buys, revenue)
    place = max(ceil(Fraction(rule.quantile) * len(buyers)), 1) - 1
    parts = sorted(Fraction(b.families[family]) / Fraction(b.wallet) for b in buyers)
    amounts = sorted(b.families[family] for b in buyers)
    millionths = floor(parts[place] * MILLION)
    buying = len(buyers) - buys
    potential, method = None, None
    if not buys:
        by_wallet = account.wallet > 0
        method = "share_of_wallet" if by_wallet else "amount"
        amount = (
            Fraction(account.wallet) * Fraction(millionths, MILLION)
            if by_wallet
            else Fraction(amounts[place])
        )
        potential = _rounded(amount * 12 / rule.window_months)
    return Estimate(
        buys=buys,
        revenue=revenue,
        peer_count=peer_count,
        peers_buying_count=buying,
        peer_wallet_millionths=millionths,
        peer_revenue=amounts[place],
        estimated_potential=potential,
        method=method,
        is_whitespace=not buys and buying >= Fraction(rule.threshold) * peer_count,
    )


def _rounded(amount: Fraction) -> Decimal:
    """Half up to four decimals; amounts are not negative."""
    units = floor(amount * 10_000 + Fraction(1, 2))
    return (Decimal(units) * MONEY).quantize(MONEY, rounding=ROUND_HALF_UP)
