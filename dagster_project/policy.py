"""The policy: every business rule that a company decides for itself, read, checked, laid out.

Belongs here: the file, its defaults, its errors, the rows for the warehouse. Not: applying a rule.
"""

import difflib
import hashlib
import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from dagster_project.lib.policy_sections import (
    Audiences,
    Concentration,
    Currency,
    Exclusions,
    FinalTier,
    Gate,
    Identity,
    Months,
    Potential,
    Publication,
    Scheme,
    Section,
)
from dagster_project.lib.yaml_files import YamlFileError, first_problem, merged, read_mapping

DEFAULT_POLICY = Path(__file__).with_name("default_policy.yml")
CRITERIA = ("revenue", "gross_margin", "net_margin", "potential")
MILLION = 1_000_000
DECIDING = {
    "reporting_currency",
    "classification_level",
    "window_months",
    "schemes",
    "primary_scheme",
    "currency",
    "identity",
    "potential",
    "exclusions",
}
# Rules whose cut point is a share or a number of accounts, compared in millionths.
COUNTED_RULES = ("cumulative_share", "top_n", "quantile")

# Rules whose cut points are no shares, so that the default's cannot be theirs.
EXAMPLES = {"top_n": "{A: 20, B: 100}", "absolute_value": "{A: 500000, B: 50000}"}

SchemeName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class PolicyError(ValueError):
    """The policy cannot be used; one line with the file, the key, what is wrong and the remedy."""


class Policy(Section):
    """The effective policy: the default with what the user's file names."""

    reporting_currency: Annotated[
        str,
        BeforeValidator(lambda value: value.strip().upper() if isinstance(value, str) else value),
    ]
    classification_level: Literal["site", "group"]
    window_months: Months
    history_months: Months
    schemes: dict[SchemeName, Scheme]
    primary_scheme: str
    final_tier: FinalTier
    currency: Currency
    identity: Identity
    potential: Potential
    exclusions: Exclusions
    concentration: Concentration
    gate: Gate
    publication: Publication
    audiences: Audiences = Field(default_factory=Audiences)

    @field_validator("reporting_currency")
    @classmethod
    def _currency_is_real(cls, code: str) -> str:
        # Babel's locale data takes a while to load; who only imports the module does not need it.
        from babel.numbers import list_currencies

        if code not in list_currencies():
            raise ValueError(
                f"{code or 'an empty value'} is not an ISO 4217 code; write one such as EUR or USD"
            )
        return code

    @field_validator("schemes")
    @classmethod
    def _criterion_is_as_named(cls, schemes: dict[str, Scheme]) -> dict[str, Scheme]:
        for name, scheme in schemes.items():
            if name in CRITERIA and scheme.criterion != name:
                raise ValueError(
                    f"{name} is named like a criterion and ranks on {scheme.criterion}; "
                    f"set its criterion to {name} or rename the scheme"
                )
        return schemes

    @field_validator("primary_scheme")
    @classmethod
    def _primary_scheme_exists(cls, name: str, info: ValidationInfo) -> str:
        schemes = info.data.get("schemes", {name: None})
        if name not in schemes:
            raise ValueError(f"{name} is not among the schemes; name one of {', '.join(schemes)}")
        return name

    @property
    def primary(self) -> Scheme:
        """The scheme whose tier is the account's value tier."""
        return self.schemes[self.primary_scheme]

    @property
    def checked_schemes(self) -> list[str]:
        """The schemes with columns of their own, in the policy or not, then what else it names.

        Checks are declared with the graph, which may outlive the policy that it was loaded with.
        """
        return list(dict.fromkeys((*CRITERIA, *self.schemes)))

    @property
    def minor_unit(self) -> int:
        """Decimals that a converted line is rounded to: `line_decimals`, else the currency's."""
        if isinstance(self.currency.line_decimals, int):
            return self.currency.line_decimals
        from babel.numbers import get_currency_precision

        return get_currency_precision(self.reporting_currency)

    def sha256(self) -> str:
        """Hash of the effective policy: files that say the same in other words hash alike."""
        text = json.dumps(self.model_dump(), sort_keys=True, default=_plain_number)
        return hashlib.sha256(text.encode()).hexdigest()

    def rules_sha256(self) -> str:
        """Hash of what decides a tier: the policy without its checks, its history and its audiences."""
        rules = self.model_dump(include=DECIDING) | {
            "matrix": self.final_tier.matrix,
            "demotion_patience_months": self.final_tier.demotion_patience_months,
            "new_customer_months": self.final_tier.new_customer_months,
            "min_cost_coverage": self.gate.min_cost_coverage,
        }
        text = json.dumps(rules, sort_keys=True, default=_plain_number)
        return hashlib.sha256(text.encode()).hexdigest()

    def unsupported(self) -> list[str]:
        """What is asked for and not computed yet, as `key: value`; empty for the default."""
        asked: list[tuple[str, object, object]] = [
            ("final_tier.matrix", self.final_tier.matrix, "default"),
            ("identity.public_email_domains", self.identity.public_email_domains, "default"),
        ]
        return [f"{key}: {value}" for key, value, built in asked if value != built]

    def parameters(self, as_of: date) -> dict[str, object]:
        """The one row of `raw.policy_parameters`; shares are `Decimal` from 0 to 1."""
        final, gate = self.final_tier, self.gate
        return {
            "as_of": as_of,
            "rules_hash": self.rules_sha256(),
            "reporting_currency": self.reporting_currency,
            "line_decimals": self.minor_unit,
            "window_months": self.window_months,
            "history_months": self.history_months,
            "classification_level": self.classification_level,
            "primary_scheme": self.primary_scheme,
            "best_tier": self.primary.tiers[0],
            "lowest_tier": self.primary.lowest_tier,
            "demotion_patience_months": final.demotion_patience_months,
            "new_customer_months": final.new_customer_months,
            "override_max_days": final.override_max_days,
            "max_rate_age_days": self.currency.max_rate_age_days,
            "exclude_one_time": self.exclusions.one_time,
            "exclude_intercompany": self.exclusions.intercompany,
            "exclude_placeholders": self.exclusions.placeholders,
            "horizon_months": self.potential.horizon_months,
            "min_peers": self.potential.min_peers,
            "peer_quantile": self.potential.peer_quantile,
            "major_customer_share": self.concentration.major_customer_share,
            "min_cost_coverage": gate.min_cost_coverage,
            "min_population": gate.min_population,
            "max_rejected_share": gate.max_rejected_share,
            "max_row_count_drop": gate.max_row_count_drop,
            "max_revenue_change": gate.max_revenue_change,
            "control_total_tolerance": gate.control_total_tolerance,
            "inactive_days": self.publication.inactive_days,
        }

    def scheme_rows(self) -> list[dict[str, object]]:
        """One row per scheme."""
        return [
            {
                "scheme": name,
                "criterion": scheme.criterion,
                "rule": scheme.rule,
                "crossing_account": scheme.crossing_account,
                "population": scheme.population,
                "is_primary": name == self.primary_scheme,
                "lowest_tier": scheme.lowest_tier,
            }
            for name, scheme in self.schemes.items()
        ]

    def cut_point_rows(self) -> list[dict[str, object]]:
        """One row per scheme and tier; without a cut for the lowest tier and for those of `abc_curve`.

        `cut_millionths` is a share of the total, a number of accounts (top_n) or a share of the accounts
        (quantile) in millionths; `cut_value` an amount in reporting currency.
        """
        return [
            {
                "scheme": name,
                "tier": tier,
                "tier_rank": rank,
                "rule": scheme.rule,
                "cut_millionths": int(cut * MILLION)
                if cut is not None and scheme.rule in COUNTED_RULES
                else None,
                "cut_value": cut if scheme.rule == "absolute_value" else None,
                "crossing_account": scheme.crossing_account,
            }
            for name, scheme in self.schemes.items()
            for rank, tier in enumerate(scheme.tiers, start=1)
            for cut in [scheme.cut_points.get(tier)]
        ]

    def cap_rows(self) -> list[dict[str, object]]:
        """One row per tier and scope (`total`, `per_owner`) with a maximum of accounts."""
        return [
            {"tier": tier, "scope": scope, "max_accounts": most}
            for tier, cap in self.final_tier.caps.items()
            if tier in self.primary.tiers
            for scope, most in (("total", cap.total), ("per_owner", cap.per_owner))
            if most is not None
        ]

    def override_budget_rows(self) -> list[dict[str, object]]:
        """One row per tier with a budget: overrides into it, as a share of its accounts."""
        budget = self.final_tier.override_budget
        return [
            {"tier": tier, "max_share": budget[tier]}
            for tier in self.primary.tiers
            if tier in budget
        ]


def load_policy(path: Path | None) -> Policy:
    """The default policy with what the file at `path` names.

    Raises:
        PolicyError: the file is missing, not YAML, or says what no policy can say.
    """
    try:
        named = read_mapping(path) if path is not None else {}
        default = read_mapping(DEFAULT_POLICY)
        _check_schemes(named, default)
        document = merged(default, named, whole={"cut_points"})
        policy = Policy.model_validate(document)
        _check_tier_names(policy, named)
    except YamlFileError as error:
        raise PolicyError(f"policy {path or DEFAULT_POLICY.name}: {error}") from None
    except ValidationError as error:
        problem = first_problem(error, Policy)
        raise PolicyError(f"policy {path or DEFAULT_POLICY.name}: {problem}") from None
    return policy


def _check_schemes(named: Mapping[str, Any], default: Mapping[str, Any]) -> None:
    """A scheme that is neither known nor whole is a slip, and so are cut points of another kind of rule."""
    schemes = named.get("schemes")
    if not isinstance(schemes, Mapping):
        return
    known = default["schemes"]
    for name, scheme in schemes.items():
        given = scheme if isinstance(scheme, Mapping) else {}
        if name not in known and "criterion" not in given:
            near = difflib.get_close_matches(str(name).lower(), known, n=1, cutoff=0.6)
            meant = f", did you mean {near[0]!r}?" if near else f"; known are {', '.join(known)}."
            raise YamlFileError(
                f"schemes.{name}: unknown scheme {str(name)!r}{meant} A scheme of another name says its criterion"
            )
        rule = given.get("rule")
        if rule in EXAMPLES and name in known and not given.get("cut_points"):
            inherited = ", ".join(
                f"{tier}: {cut}" for tier, cut in known[name]["cut_points"].items()
            )
            raise YamlFileError(
                f"schemes.{name}: rule {rule} without cut_points; the default's are shares ({inherited}), "
                f"so write them, such as {EXAMPLES[str(rule)]}"
            )


def _check_tier_names(policy: Policy, named: Mapping[str, Any]) -> None:
    """The user's own budgets and caps name tiers that exist; inherited ones find no tier."""
    final = named.get("final_tier") or {}
    for key in ("override_budget", "caps"):
        for tier in final.get(key) or {}:
            if str(tier) not in policy.primary.tiers:
                raise YamlFileError(
                    f"final_tier.{key}: {tier} is not a tier of scheme {policy.primary_scheme}; "
                    f"name one of {', '.join(policy.primary.tiers)}"
                )


def _plain_number(value: object) -> str:
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    raise TypeError(f"{type(value).__name__} has no place in a policy")
