"""The figures that are held against the live release, and how far they moved."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import duckdb
import pandas as pd

# Extracts of which a part missing falsifies tiers. The others may be short lists kept by hand,
# where one line less is a large share.
ALWAYS_STRICT = frozenset({"accounts", "customers", "invoice_lines"})


@dataclass(frozen=True)
class ReleaseFigures:
    """What a release is measured by.

    Attributes:
        rows_loaded: accepted rows by entity, superseded ones left out.
        accounts: accounts that the extracts hold (a removed account that keeps its row is none).
        revenue: revenue of the window over all accounts, excluded ones included, in reporting
        currency.
    """

    rows_loaded: Mapping[str, int]
    accounts: int
    revenue: Decimal


def figures_of_warehouse(connection: duckdb.DuckDBPyConnection) -> ReleaseFigures:
    """Today's figures, from `intermediate.int_deliveries_counted` and `marts.account_tiers`."""
    loaded = connection.execute(
        """
        select entity, sum(rows_loaded)::bigint
        from intermediate.int_deliveries_counted
        group by entity
        """
    ).fetchall()
    totals = connection.execute(
        """
        select count(*) filter (where inactive_since is null), coalesce(sum(revenue), 0)
        from marts.account_tiers
        """
    ).fetchone()
    assert totals is not None
    return ReleaseFigures(dict(loaded), totals[0], Decimal(totals[1]))


def figures_of_manifest(manifest: Mapping[str, Any]) -> ReleaseFigures:
    """The live release's figures, from its `manifest.json`.

    Raises:
        ValueError: the manifest lacks a figure; the text names it.
    """
    loaded: Counter[str] = Counter()
    try:
        for delivered in manifest["inputs"]:
            loaded[delivered["entity"]] += int(delivered["rows_loaded"])
        totals = manifest["totals"]
        return ReleaseFigures(
            dict(loaded), int(totals["accounts"]), Decimal(str(totals["revenue"]))
        )
    except KeyError as error:
        raise ValueError(
            f"manifest.json of the live release has no {error.args[0]}: restore the file of the "
            "release, or publish into a new folder"
        ) from None


def build_metrics_frame(
    today: ReleaseFigures, live: ReleaseFigures, *, few_rows: int
) -> pd.DataFrame:
    """Compare two releases, figure by figure.

    Args:
        today: figures of the run.
        live: figures of the live release.
        few_rows: below so many rows in the live release an optional extract is judged mildly.

    Returns:
        One row per figure of the live release: metric, kind (rows, few_rows, revenue), value,
        live_value, change ((value - live_value) / |live_value|, null where that is 0), described (a
        sentence).
    """
    rows = [_metric("accounts in account_tiers", "rows", today.accounts, live.accounts)]
    for entity, count in sorted(live.rows_loaded.items()):
        if "." in entity:
            # rows of a profile's layout that others are joined with: gone with the profile, and what is
            # missing of them is missing from the entities
            continue
        now = today.rows_loaded.get(entity, 0)
        mild = entity not in ALWAYS_STRICT and count < few_rows and now > 0
        rows.append(_metric(f"{entity} rows", "few_rows" if mild else "rows", now, count))
    rows.append(_metric("window revenue", "revenue", today.revenue, live.revenue))
    names = ["metric", "kind", "value", "live_value", "change", "described"]
    return pd.DataFrame(rows, columns=names)


def _metric(
    metric: str, kind: str, now: int | Decimal, before: int | Decimal
) -> tuple[str, str, float, float, float | None, str]:
    value, live_value = Decimal(now), Decimal(before)
    change = float((value - live_value) / abs(live_value)) if live_value else None
    moved = "no change to measure" if change is None else f"{change:+.1%}"
    described = f"{metric} {now:,} against {before:,} in the live release ({moved})"
    return metric, kind, float(value), float(live_value), change, described
