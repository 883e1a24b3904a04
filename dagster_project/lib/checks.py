"""The outcome of one check of the gate, whoever made it: dbt, Great Expectations or the reference."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal


@dataclass(frozen=True)
class CheckResult:
    """One check. A failed check of severity `error` stops the publication, a failed `warn` is published.

    `observed` says what was found, with figures; `remedy` what to do about it. Neither holds personal data.
    """

    check_name: str
    asset: str
    severity: Literal["error", "warn"]
    passed: bool
    observed: str
    remedy: str

    @property
    def stops(self) -> bool:
        """Whether this result keeps the release from being published."""
        return self.severity == "error" and not self.passed

    def row(self) -> dict[str, object]:
        """The row of the mart `quality_results`."""
        return asdict(self)
