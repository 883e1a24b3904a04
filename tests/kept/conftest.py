"""The golden company, refreshed once, as the pipeline's tests do."""

from __future__ import annotations

from tests.pipeline.conftest import golden

__all__ = ["golden"]
