"""dbt's events are made where somebody reads them, and where one may stop the run."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from dbt.events.logging import setup_event_logger
from dbt.events.types import DeprecatedModel
from dbt_common.events import types
from dbt_common.events.event_manager import EventManager
from dbt_common.events.event_manager_client import ctx_set_event_manager, get_event_manager
from dbt_common.events.functions import fire_event
from dbt_common.exceptions.events import EventCompilationError
from dbt_common.helper_types import WarnErrorOptions

from dagster_project.lib.warehouse.dbt_events import ReadEventManager, drop_unread_events

ASKED: list[str] = []


class Note(types.Note):
    """dbt's event of this name, which notes when its message is asked for."""

    def message(self) -> str:
        said = str(super().message())
        ASKED.append(said)
        return said


def test_an_event_that_nobody_reads_is_not_made() -> None:
    ASKED.clear()
    ReadEventManager().fire_event(Note(msg="read by none"))
    assert not ASKED
    EventManager().fire_event(Note(msg="dbt's own"))
    assert ASKED == ["dbt's own"]


def test_a_reader_gets_what_dbt_says() -> None:
    heard: list[Any] = []
    manager = ReadEventManager()
    manager.add_callback(heard.append)
    manager.fire_event(Note(msg="said"))
    assert [message.info.msg for message in heard] == ["said"]


def test_a_warning_that_is_to_be_an_error_stops_without_a_reader() -> None:
    manager = ReadEventManager()
    manager.require_warn_or_error_handling = True
    manager.warn_error_options = WarnErrorOptions(include="all", exclude=[])
    warning = DeprecatedModel(model_name="old", model_version="1", deprecation_date="2020-01-01")
    with pytest.raises(EventCompilationError):
        manager.fire_event(warning)


def test_it_takes_the_place_of_dbts_own_once() -> None:
    before = get_event_manager()
    try:
        ctx_set_event_manager(EventManager())
        drop_unread_events()
        first = get_event_manager()
        drop_unread_events()
        assert isinstance(first, ReadEventManager) and get_event_manager() is first
    finally:
        ctx_set_event_manager(before)


def test_dbts_own_setting_up_leaves_it_without_a_reader(tmp_path: Path) -> None:
    before, asked = get_event_manager(), len(ASKED)
    flags = SimpleNamespace(LOG_PATH=tmp_path, LOG_LEVEL="none", LOG_LEVEL_FILE="none")
    try:
        for manager in (EventManager(), ReadEventManager()):
            ctx_set_event_manager(manager)
            setup_event_logger(flags)
            fire_event(Note(msg=type(manager).__name__))
        assert ASKED[asked:] == ["EventManager"]
    finally:
        ctx_set_event_manager(before)
