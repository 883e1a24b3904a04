"""Each text that a mart says of an account is blanked with the account, or known to say nothing of whom it is."""

from __future__ import annotations

from pathlib import Path

import yaml

from dagster_project.lib.forgetting.marts import DESCRIBING, NAMES, SENTENCES

MARTS = Path(__file__).parents[3] / "dbt" / "models" / "marts"
# tiers, keys and ids, hashes, words of ours
KEPT_ENDINGS = (
    *("tier", "_key", "_id", "_hash", "_kind", "_trigger", "_status"),
    *("_method", "_basis", "_cause", "_rule", "_system", "_entity", "_title_en", "_title_fr"),
)
KEPT = {
    *("buying_role", "cap_exceeded", "change_type", "channels", "currencies", "direction"),
    *("population", "posture", "product_family", "reason", "relationship", "rule", "scheme"),
    *("severity", "suppressed_by", "unit", "risk_reasons", "excluded_reason", "ineligible_reason"),
    *("ads_ineligible_reason", "email_ineligible_reason"),
}


def test_each_text_of_an_account_is_blanked_or_known_to_stay() -> None:
    undecided = [
        f"{model['name']}.{column['name']}"
        for path in sorted(MARTS.glob("*.yml"))
        for model in (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("models", [])
        if {"account_key", "contact_key"} & {column["name"] for column in model["columns"]}
        for column in model["columns"]
        if column.get("data_type") == "string"
        and column["name"] not in NAMES | SENTENCES | DESCRIBING | KEPT
        and not column["name"].endswith(KEPT_ENDINGS)
    ]
    assert not undecided, (
        "put the column into DESCRIBING of lib/forgetting/marts.py if it tells who the account is, "
        f"else into KEPT here: {undecided}"
    )
