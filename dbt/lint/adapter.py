"""Stands in for dbt's `adapter` where sqlfluff renders the models without dbt.

sqlfluff's own dbt templater compiles each model over a connection; this one needs none and takes
seconds.
"""

from collections.abc import Callable
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context


@pass_context
def dispatch(context: Context, macro_name: str) -> Callable[..., Any]:
    """The DuckDB variant of a macro: the one whose SQL is linted."""
    variant: Callable[..., Any] = context.resolve(f"duckdb__{macro_name}")
    return variant
