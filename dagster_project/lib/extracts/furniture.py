"""Lines of a text file that are no rows: rules, totals, page heads."""

from __future__ import annotations

import re
from collections.abc import Sequence

# A pattern that begins with ^ and plain characters: what every line that it matches begins with.
_LITERAL_START = re.compile(r"\^((?:[^\\.^$*+?{}\[\]|()]|\\[^\w\s])+)([*?{])?")


class Furniture:
    """Tells furniture by regular expressions over whole lines, and by equality with the header.

    Args:
        skipped: expressions of lines that may stand anywhere.
        footer: expressions of the lines that end the table.
    """

    def __init__(self, skipped: Sequence[str] = (), footer: Sequence[str] = ()) -> None:
        self._skipped = [re.compile(pattern) for pattern in skipped]
        self._footer = [re.compile(pattern) for pattern in footer]
        self._starts = [_literal_start(pattern) for pattern in (*skipped, *footer)]
        self._header: bytes | None = None

    def repeats(self, header: bytes) -> None:
        """From here on a block that holds the bytes of the header is looked at line by line."""
        self._header = header.strip()

    @property
    def is_empty(self) -> bool:
        """Whether no line can be furniture."""
        return not self._starts and self._header is None

    @property
    def reach(self) -> int:
        """How many bytes decide, at most, whether furniture may stand somewhere."""
        return max((len(start) for start in self._starts if start is not None), default=0) + 1

    def may_stand_in(self, block: bytes, terminator: bytes) -> bool:
        """Whether some line of the block could be furniture; at the speed of a byte search."""
        for start in self._starts:
            if start is None or block.startswith(start) or terminator + start in block:
                return True
        return self._header is not None and self._header in block

    def is_skipped(self, line: bytes) -> bool:
        """Whether the line is furniture that may stand anywhere."""
        return bool(self._skipped) and _matches(self._skipped, line)

    def is_footer(self, line: bytes) -> bool:
        """Whether the line is the end of the table."""
        return bool(self._footer) and _matches(self._footer, line)


NO_FURNITURE = Furniture()


def _matches(patterns: list[re.Pattern[str]], line: bytes) -> bool:
    text = line.decode("utf-8", errors="replace")
    return any(pattern.search(text) for pattern in patterns)


def _literal_start(pattern: str) -> bytes | None:
    """The bytes that a matching line begins with, None where the pattern does not say."""
    found = _LITERAL_START.match(pattern)
    if found is None or re.search(r"(?<!\\)\|", pattern):
        return None
    text = re.sub(r"\\(.)", r"\1", found[1])
    text = text[:-1] if found[2] else text
    return text.encode() or None
