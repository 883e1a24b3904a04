"""What several folders of unit tests share; by this file pytest finds `hand_made.py` too."""

from pathlib import Path

import pytest
from hand_made import hand_made_policy

from dagster_project.policy import Policy


@pytest.fixture
def policy(tmp_path: Path) -> Policy:
    """The policy of the warehouse made by hand: 8 months of history, at least 4 accounts."""
    return hand_made_policy(tmp_path)
