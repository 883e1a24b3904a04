"""Runs the whole script once."""

from __future__ import annotations

from tests.benchmarks.yardsticks.arguments import run_from_command_line
from tests.benchmarks.yardsticks.duckdb_script import whole

run_from_command_line(whole.run, whole.__doc__)
