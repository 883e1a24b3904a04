"""One pass over a file's bytes: what must be known before it is parsed."""

from __future__ import annotations

import codecs
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dagster_project.lib.extracts.limits import CHUNK_BYTES

TAIL_BYTES = 256 * 1024

# How white space other than U+0020 and line ends begins in UTF-8 (values.WHITE_SPACE).
_ASCII_SPACES = (b"\t", b"\x0b", b"\x0c")
_WIDE_SPACES = (b"\xc2\xa0", b"\xe2\x80", b"\xe3\x80\x80", b"\xef\xbb\xbf")


def probe_file(path: Path, delimiters: Sequence[str]) -> Probe:
    """Reads the file once, in chunks; one of the delimiters is the file's."""
    prober = Prober(delimiters)
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            prober.update(chunk)
    return prober.finish()


@dataclass(frozen=True)
class Probe:
    """What the bytes of a text file are like.

    `lines` counts physical lines with the blank ones at the end left out; `tail` is the end of the
    file (256 KiB at most), without its blank lines. `may_need_trim`: white space may stand at the
    edge of some value, whichever of `delimiters` separates them.
    """

    sha256: str
    size: int
    head: bytes
    tail: bytes
    lines: int
    has_crlf: bool
    has_mixed_ends: bool
    has_lone_cr: bool
    has_line_feed: bool
    has_nul: bool
    has_bom: bool
    is_utf8: bool
    is_ascii: bool
    may_need_trim: bool
    delimiters: tuple[str, ...]


class Prober:
    """Takes the file's chunks in order and says at the end what they were."""

    def __init__(self, delimiters: Sequence[str], *, has_digest: bool = True) -> None:
        self._delimiters = tuple(delimiters)
        self._digest = hashlib.sha256() if has_digest else None
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._edges = [b' "', b'" ', b" \n", b"\n ", b" \r"]
        for delimiter in self._delimiters:
            self._edges += [b" " + delimiter.encode(), delimiter.encode() + b" "]
        separator = delimiters[0].encode() if len(delimiters) == 1 else b""
        self._spaces = tuple(space for space in _ASCII_SPACES if space != separator)
        self._size = self._feeds = self._returns = self._pairs = 0
        self._head = self._tail = b""
        self._last = b"\n"
        self._nul = self._trim = False
        self._utf8 = self._ascii = True

    def update(self, chunk: bytes) -> None:
        """Takes the next chunk; never an empty one."""
        if self._digest is not None:
            self._digest.update(chunk)
        if not self._size:
            self._head = chunk[:64]
        self._size += len(chunk)
        self._count_line_ends(chunk)
        self._nul = self._nul or b"\0" in chunk
        self._look_at_text(chunk)
        self._look_at_spaces(chunk)
        self._tail = (
            (self._tail + chunk)[-TAIL_BYTES:] if len(chunk) < TAIL_BYTES else chunk[-TAIL_BYTES:]
        )
        self._last = chunk[-1:]

    def finish(self) -> Probe:
        """The findings over all chunks."""
        blank_end = len(self._tail) - len(self._tail.rstrip(b"\r\n"))
        tail = self._tail[: len(self._tail) - blank_end]
        lines = self._feeds - self._tail[len(tail) :].count(b"\n") + 1
        return Probe(
            sha256=self._digest.hexdigest() if self._digest is not None else "",
            size=self._size,
            head=self._head,
            tail=tail,
            lines=lines,
            has_crlf=self._pairs > 0,
            has_mixed_ends=0 < self._pairs < self._feeds,
            has_lone_cr=self._returns > self._pairs,
            has_line_feed=self._feeds > 0,
            has_nul=self._nul,
            has_bom=self._head.startswith(codecs.BOM_UTF8),
            is_utf8=self._utf8 and self._ends_whole(),
            is_ascii=self._ascii,
            may_need_trim=self._trim,
            delimiters=self._delimiters,
        )

    def _count_line_ends(self, chunk: bytes) -> None:
        self._feeds += chunk.count(b"\n")
        returns = chunk.count(b"\r")
        if returns or self._last == b"\r":
            self._returns += returns
            self._pairs += chunk.count(b"\r\n") + (self._last == b"\r" and chunk[:1] == b"\n")

    def _look_at_text(self, chunk: bytes) -> None:
        if not self._utf8:
            return
        is_ascii = chunk.isascii()
        self._ascii = self._ascii and is_ascii
        if is_ascii and not self._decoder.getstate()[0]:
            return
        try:
            self._decoder.decode(chunk)
        except UnicodeDecodeError:
            self._utf8 = False

    def _look_at_spaces(self, chunk: bytes) -> None:
        if self._trim:
            return
        at_seam = chunk[:1] == b" " or chunk[-1:] == b" "
        text = chunk[3:] if self._size == len(chunk) else chunk
        self._trim = (
            at_seam
            or any(space in text for space in self._spaces)
            or (b" " in chunk and self._has_edge(chunk))
            or (not text.isascii() and any(space in text for space in _WIDE_SPACES))
        )

    def _has_edge(self, chunk: bytes) -> bool:
        # to search for the edges of several delimiters costs more than to trim
        return len(self._delimiters) > 1 or any(edge in chunk for edge in self._edges)

    def _ends_whole(self) -> bool:
        return not self._decoder.getstate()[0]
