"""`microsoft_ads`: a bulk file: format version, one customer list, its items with hashed e-mails."""

from __future__ import annotations

import re
from pathlib import Path

from tests.checkers import reading

# The Id that Microsoft gave a list, or a negative one: a new list, to which an action means nothing.
LIST_ID = re.compile(r"-?[1-9][0-9]*")
ACTIONS = {"full": {"Replace", "Add"}, "add": {"Add"}, "remove": {"Remove"}}
NEEDED = ["Type", "Id", "Parent Id", "Name", "Audience", "Action Type", "Sub Type", "Text"]


def check(path: Path, kind: str) -> list[str]:
    """What is wrong with the file; a file of no items may have no list either."""
    table = reading.read(path)
    problems = list(table.problems)
    if missing := [name for name in NEEDED if name not in table.header]:
        return [*problems, f"columns missing: {', '.join(missing)}"]
    records = [row for _, row in table.records()]
    items = [row for row in records if row["Type"] == "Customer List Item"]
    lists = [row for row in records if row["Type"] == "Customer List"]
    problems += reading.at_least(len(items), 300, kind)
    if not items:
        return problems
    if records[0]["Type"] != "Format Version" or records[0]["Name"] != "6.0":
        problems.append("the first record is not Format Version 6.0")
    if len(lists) != 1 or records[1]["Type"] != "Customer List":
        return [*problems, "the second record is not the only customer list"]
    if len(items) + 2 != len(records):
        problems.append("records of another type")
    if lists[0]["Action Type"] not in ACTIONS[kind]:
        problems.append(f"a {kind} file says {lists[0]['Action Type'] or 'no action'}")
    list_id = lists[0]["Id"]
    if not LIST_ID.fullmatch(list_id):
        problems.append("the list has no Id")
    elif list_id.startswith("-") and lists[0]["Action Type"] != "Replace":
        problems.append(f"a new list cannot be changed by {lists[0]['Action Type']}")
    return problems + _items(table.header, items, list_id)


def _items(header: list[str], items: list[dict[str, str]], list_id: str) -> list[str]:
    problems = []
    for row in items:
        if row["Parent Id"] != list_id:
            problems.append("an item names no list of the file")
        if row["Sub Type"] != "Email":
            problems.append(f"an item of sub type {row['Sub Type'] or 'none'}")
        if not row["Text"]:
            problems.append("an item without text")
    table = reading.Table(header, [list(row.values()) for row in items])
    return problems + reading.hashed(table, ["Text"]) + reading.unique(table, "Text")
