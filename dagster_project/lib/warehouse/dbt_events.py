"""dbt's events where nobody reads them: a refresh asks for no log, and reads results instead.

dbt makes and formats some thousand messages of a refresh before it looks whether there is a reader. One
reader it always adds itself, for its usage statistics, which a refresh does not send.
"""

from __future__ import annotations

from typing import Any

from dbt.tracking import track_behavior_change_warn
from dbt_common.events.base_types import BaseEvent, EventLevel, TCallback
from dbt_common.events.event_manager import EventManager
from dbt_common.events.event_manager_client import ctx_set_event_manager, get_event_manager


class ReadEventManager(EventManager):
    """dbt's own event manager, which makes a message only where somebody reads it or it may stop the run."""

    def add_callback(self, callback: TCallback) -> None:
        """As dbt's, without the reader for usage statistics."""
        if callback is not track_behavior_change_warn:
            super().add_callback(callback)

    def fire_event(
        self,
        e: BaseEvent,
        level: EventLevel | None = None,
        node: Any = None,
        force_warn_or_error_handling: bool = False,
    ) -> None:
        """As dbt's, which raises EventCompilationError for a warning that is to be an error."""
        may_stop = force_warn_or_error_handling or (
            self.require_warn_or_error_handling and (level or e.level_tag()) is EventLevel.WARN
        )
        if may_stop or self.loggers or self.callbacks:
            super().fire_event(e, level, node, force_warn_or_error_handling)


def drop_unread_events() -> None:
    """From now on dbt's events of this process are made only where somebody reads them."""
    if not isinstance(get_event_manager(), ReadEventManager):
        ctx_set_event_manager(ReadEventManager())
