"""The suites as they stand in `suites.yml`: which frame, which expectations, why, and what to do.

Belongs here: reading that file. Not: what an expectation means (Great Expectations knows).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Literal

from dagster_project.lib.yaml_files import read_mapping

SUITES_FILE = Path(__file__).with_name("suites.yml")


@dataclass(frozen=True)
class Check:
    """One property, made of one expectation on each of its columns or pairs of columns.

    Attributes:
        name: `<asset>_<property>`.
        expectation: class of `great_expectations.expectations`.
        arguments: keyword arguments of each expectation in turn; `{$PARAMETER: name}` is filled in
            when the suite is validated.
        reason: why the property matters.
        remedy: what to do when it does not hold.
    """

    name: str
    expectation: str
    arguments: tuple[dict[str, Any], ...]
    severity: Literal["error", "warn"]
    reason: str
    remedy: str


@dataclass(frozen=True)
class Suite:
    """Expectations on one frame.

    Attributes:
        asset: the mart that is judged.
        frame: name of the frame (`lib/expectations/frames.py`).
        name_by: columns of the frame that name a failing row.
        checks: in the order of the file.
    """

    asset: str
    frame: str
    name_by: tuple[str, ...]
    checks: tuple[Check, ...]


@cache
def load_suites() -> tuple[Suite, ...]:
    """All suites, in the order of the file."""
    return tuple(_suite(entry) for entry in read_mapping(SUITES_FILE)["suites"])


def suite_of(frame: str) -> Suite:
    """The suite on this frame.

    Raises:
        KeyError: no suite judges it.
    """
    for suite in load_suites():
        if suite.frame == frame:
            return suite
    raise KeyError(f"{SUITES_FILE.name} has no suite on frame {frame}; add one")


def _suite(entry: dict[str, Any]) -> Suite:
    asset = entry["asset"]
    checks = tuple(
        Check(
            name=f"{asset}_{check['property']}",
            expectation=check["expectation"],
            arguments=tuple(_arguments(check)),
            severity=check["severity"],
            reason=" ".join(check["reason"].split()),
            remedy=" ".join(check["remedy"].split()),
        )
        for check in entry["checks"]
    )
    return Suite(asset, entry["frame"], tuple(entry.get("name_by", ())), checks)


def _arguments(check: dict[str, Any]) -> Iterator[dict[str, Any]]:
    shared = {name: _plain(value) for name, value in check.get("arguments", {}).items()}
    if "columns" in check:
        yield from ({"column": column, **shared} for column in check["columns"])
    elif "pairs" in check:
        for first, second in check["pairs"]:
            yield {"column_A": first, "column_B": second, **shared}
    else:
        yield shared


def _plain(value: Any) -> Any:
    """Great Expectations knows no Decimal among its arguments."""
    return float(value) if isinstance(value, Decimal) else value
