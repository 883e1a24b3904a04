"""What the dashboard's own Superset keeps in the output folder."""

from __future__ import annotations

FOLDER = "dashboard"
PICTURE = "dashboard.png"
LOG = "superset.log"
STATE = "superset.db"
