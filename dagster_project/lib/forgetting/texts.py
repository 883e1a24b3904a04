"""Takes what was forgotten out of texts of any form: logs, records of runs, reports, Dagster's own storage."""

from __future__ import annotations

import contextlib
import html
import json
import logging
import os
import re
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from markupsafe import escape

from dagster_project.lib.extracts.quoting import identifier
from dagster_project.lib.forgetting.matcher import Matcher
from dagster_project.lib.release.durable import part_of

# Keys of our JSON files under which a text may name an account.
SPEAKING = ("observed", "failed", "errors", "left", "ignored", "schema_changes", "message")
# SQLite's own files beside a database; it empties them itself.
BESIDE_SQLITE = ("-wal", "-shm", "-journal")
SQLITE = b"SQLite format 3\0"

log = logging.getLogger(__name__)


def freed_text(text: str, matcher: Matcher, names: Mapping[str, str]) -> tuple[str, int]:
    """The text without addresses, digests and names, and how many of them were in it."""
    text, count = matcher.all_replaced(text)
    for name, other in sorted(names.items(), key=lambda pair: -len(pair[0])):
        # never as a part of a longer name
        for form in _forms(name):
            if form in text:
                text, found = re.subn(rf"(?<!\w){re.escape(form)}(?!\w)", lambda _: other, text)  # noqa: B023
                count += found
    return text, count


def _forms(name: str) -> Iterable[str]:
    """A name as it stands, in JSON, and in HTML as Python's library and as Jinja write it."""
    in_json = (json.dumps(name, ensure_ascii=is_ascii)[1:-1] for is_ascii in (True, False))
    return dict.fromkeys((name, *in_json, html.escape(name), str(escape(name))))


def freed_record(
    record: Any, matcher: Matcher, names: Mapping[str, str], *, key: str = ""
) -> tuple[Any, int]:
    """The same of what was read from JSON; names only where a check or an error speaks, never in words of ours."""
    if isinstance(record, str):
        return freed_text(record, matcher, names if key in SPEAKING else {})
    total = 0
    if isinstance(record, list):
        items = [freed_record(item, matcher, names, key=key) for item in record]
        return [item for item, _ in items], sum(count for _, count in items)
    if isinstance(record, dict):
        found = {}
        for name, value in record.items():
            found[name], count = freed_record(value, matcher, names, key=name)
            total += count
        return found, total
    return record, 0


def free_folder(
    folder: Path, matcher: Matcher, names: Mapping[str, str], *, is_dry: bool = False
) -> dict[str, int]:
    """Frees every text and every SQLite database below a folder; what was found by file."""
    found: dict[str, int] = {}
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.is_symlink() or path.name.endswith(BESIDE_SQLITE):
            continue
        with path.open("rb") as stream:
            is_database = stream.read(len(SQLITE)) == SQLITE
        free = _free_database if is_database else _free_file
        if count := free(path, matcher, names, is_dry=is_dry):
            found[str(path.relative_to(folder))] = count
    return found


def _free_file(path: Path, matcher: Matcher, names: Mapping[str, str], *, is_dry: bool) -> int:
    # what is no text comes back as it was
    text = path.read_bytes().decode("utf-8", "surrogateescape")
    try:
        record, count = freed_record(json.loads(text), matcher, names)
        text = json.dumps(record, ensure_ascii=False) if count else text
    except ValueError:
        text, count = freed_text(text, matcher, names)
    if count and not is_dry:
        part = part_of(path)
        part.write_bytes(text.encode("utf-8", "surrogateescape"))
        part.chmod(path.stat().st_mode)
        os.replace(part, path)
    return count


def _free_database(path: Path, matcher: Matcher, names: Mapping[str, str], *, is_dry: bool) -> int:
    total = 0
    mode = "ro" if is_dry else "rw"
    if is_dry and not path.with_name(f"{path.name}-wal").exists():
        # whoever reads a database that is written ahead would leave two files beside it
        mode = "ro&immutable=1"
    address = f"{path.resolve().as_uri()}?mode={mode}"
    with contextlib.closing(sqlite3.connect(address, uri=True)) as connection:
        connection.execute("pragma secure_delete = on")
        tables = connection.execute(
            "select name from sqlite_master where type = 'table' and name not like 'sqlite_%'"
        ).fetchall()
        for (table,) in tables:
            total += _free_table(connection, table, matcher, names, is_dry=is_dry)
        if total and not is_dry:
            connection.commit()
            connection.execute("vacuum")
        if not is_dry:
            # pages of before may lie in the log beside the file
            connection.execute("pragma wal_checkpoint(truncate)")
    return total


def _free_table(
    connection: sqlite3.Connection,
    table: str,
    matcher: Matcher,
    names: Mapping[str, str],
    *,
    is_dry: bool,
) -> int:
    total = 0
    columns = connection.execute(f"pragma table_info({identifier(table)})").fetchall()
    for _, column, *_ in columns:
        name = identifier(column)
        rows = connection.execute(
            f"select rowid, {name} from {identifier(table)} where typeof({name}) = 'text'"
        ).fetchall()
        for row, text in rows:
            other, count = freed_text(text, matcher, names)
            total += count
            if count and not is_dry:
                connection.execute(
                    f"update {identifier(table)} set {name} = ? where rowid = ?", (other, row)
                )
    return total
