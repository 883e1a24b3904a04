from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from dagster_project.lib.extracts.careful import write_clean_copy
from dagster_project.lib.extracts.csv_header import read_header
from dagster_project.lib.extracts.limits import *
from dagster_project.lib.extracts.quoting import literal


@dataclass(frozen=True)
class TextTable:
    relation: str
    names: tuple
    has_line: bool
    line_offset: int
    rows: int
    is_careful: bool
    rejects: Path | None
    reasons: Counter
    lines_skipped: int
    may_need_trim: bool
    encoding: str
    dialect: str
    has_native_values: bool = False


def open_delimited(content, *, scratch, dialect, file, suffix, known, probe=None, careful=False):
    raw = content.read_bytes()
    for enc in dialect.encodings:
        try:
            t = raw.decode(enc); break
        except UnicodeDecodeError: t = raw.decode("latin-1")
    content = scratch / "transcoded"; content.write_text(t, encoding="utf-8", newline="")
    best = max(dialect.delimiters_for(suffix), key=lambda d: known(content.open(encoding='utf-8-sig').readline().rstrip().split(d)))
    names, rec = read_header(content, best, terminator=b"\n", file=file)
    copy = write_clean_copy(content, scratch, delimiter=best, terminator=b"\n")
    cols = ", ".join(f"'s{i}': 'VARCHAR'" for i in range(len(names)+1))
    rel = (f"read_csv({literal(copy.path)}, auto_detect = false, header = false, delim = {literal(best)}, quote = '\"', escape = '\"', strict_mode = true, null_padding = false, new_line='\\n', max_line_size = {2 * MAX_LINE_BYTES}, columns = {{{cols}}})")
    return TextTable(rel, tuple(names), True, 2, copy.rows, True, copy.rejects, copy.reasons, 0, True, "utf-8", "csv")
