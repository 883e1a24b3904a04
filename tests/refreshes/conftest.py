"""The companies, refreshed once, as the pipeline's tests do."""

from __future__ import annotations

from tests.pipeline.conftest import adventureworks, demo, golden, second_golden

__all__ = ["adventureworks", "demo", "golden", "second_golden"]
