"""Which encoding a text file is in, and its copy in UTF-8 where it is another one."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dagster_project.lib.extracts.dialect import Dialect
from dagster_project.lib.extracts.errors import ExtractError
from dagster_project.lib.extracts.limits import CHUNK_BYTES
from dagster_project.lib.extracts.probe import Probe, Prober
from dagster_project.lib.extracts.records import whole_lines

# Each byte as L, C or . : first of several bytes of a character in UTF-8, one that follows, other.
_UTF8_PARTS = bytes(
    ord("L") if 0xC2 <= byte <= 0xF4 else ord("C") if 0x80 <= byte <= 0xBF else ord(".")
    for byte in range(256)
)
_WIDE_MARKS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_WIDEST_MARKS = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)

# Two undecodable bytes in a row could be a character of UTF-8 by chance; 0xFF never is a part of one.
_FALSE_CHARACTER = re.compile("(?=[\udcc2-\udcf4][\udc80-\udcbf])")


@dataclass(frozen=True)
class Encoded:
    """A file as UTF-8.

    Attributes:
        path: the file itself, or its copy.
        label: the encoding in words, for the ledger.
        probe: of `path`.
    """

    path: Path
    label: str
    probe: Probe


@dataclass
class _Count:
    """Lines with other than ASCII that are right, and wrong, in a codec."""

    good: int = 0
    bad: int = 0


def as_utf8(content: Path, scratch: Path, *, dialect: Dialect, probe: Probe, file: str) -> Encoded:
    """The file in UTF-8; a line that is no text in its encoding is none in the copy either.

    Raises:
        ExtractError: the file is in UTF-32.
    """
    if probe.has_bom:
        return Encoded(content, "utf-8 with byte-order mark", probe)
    if probe.head.startswith(_WIDEST_MARKS):
        raise ExtractError(
            file,
            "the file is encoded in UTF-32",
            remedy="Save it in UTF-8 (in Excel: 'CSV UTF-8').",
        )
    target = scratch / "content.utf8"
    if wide := _wide_codec(probe):
        codec, mark = wide
        copied = _copy_wide(content, target, codec=codec, mark=mark, probe=probe)
        return Encoded(target, f"{codec} with byte-order mark" if mark else codec, copied)
    codec, also_utf8 = _choose(content, dialect.encodings, probe)
    if codec == "utf-8" or probe.is_ascii:
        return Encoded(content, codec, probe)
    copied = _copy(content, target, codec=codec, probe=probe)
    # in mixed files such lines read as Ã© for é: said, because nothing can be proved about them
    label = f"{codec} (lines that utf-8 reads too: {also_utf8})" if also_utf8 else codec
    return Encoded(target, label, copied)


def _wide_codec(probe: Probe) -> tuple[str, bytes] | None:
    """UTF-16 by its mark, or because every second byte of the beginning is NUL."""
    for mark, codec in _WIDE_MARKS.items():
        if probe.head.startswith(mark):
            return codec, mark
    even, odd = probe.head[0::2], probe.head[1::2]
    if len(probe.head) >= 4:
        if not any(odd) and all(even):
            return "utf-16-le", b""
        if not any(even) and all(odd):
            return "utf-16-be", b""
    return None


def _choose(content: Path, encodings: tuple[str, ...], probe: Probe) -> tuple[str, int]:
    """The codec, and how many lines with other than ASCII are right in UTF-8 though it is another.

    A codec counts if no line is wrong in it, or if it is right for at least as many lines as it is
    wrong for: those few are rejected. The last one counts in any case.
    """
    also_utf8 = 0
    for codec in encodings[:-1]:
        if codec == "utf-8" and probe.is_utf8:
            return codec, 0
        count = _count(content, codec, terminator=_terminator(probe))
        if not count.bad or count.good >= count.bad:
            return codec, 0 if codec == "utf-8" else also_utf8
        also_utf8 = count.good if codec == "utf-8" else also_utf8
    return encodings[-1], also_utf8 if encodings[-1] != "utf-8" else 0


def _count(content: Path, codec: str, *, terminator: bytes) -> _Count:
    if codec == "utf-8" and not _has_utf8(content):
        return _Count(bad=1)
    count = _Count()
    with content.open("rb") as stream:
        for block in whole_lines(stream, terminator):
            if not block.isascii():
                _count_lines(block, codec, terminator=terminator, count=count)
    return count


def _has_utf8(content: Path) -> bool:
    """Whether two bytes stand anywhere as in a character of UTF-8; at the speed of the disk."""
    last = b""
    with content.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            if b"LC" in (last + chunk).translate(_UTF8_PARTS):
                return True
            last = chunk[-1:]
    return False


def _count_lines(block: bytes, codec: str, *, terminator: bytes, count: _Count) -> None:
    others = _other_lines(block, terminator)
    bad = 0
    try:
        block.decode(codec)
    except UnicodeDecodeError:
        bad = sum(not _is_text(line, codec) for line in _non_ascii(block, terminator))
    count.bad += bad
    count.good += others - bad


def _non_ascii(block: bytes, terminator: bytes) -> Iterator[bytes]:
    return (line for line in block.split(terminator) if not line.isascii())


def _other_lines(block: bytes, terminator: bytes) -> int:
    return sum(1 for _ in _non_ascii(block, terminator))


def _is_text(line: bytes, codec: str) -> bool:
    try:
        line.decode(codec)
    except UnicodeDecodeError:
        return False
    return True


def _copy(content: Path, target: Path, *, codec: str, probe: Probe) -> Probe:
    prober = Prober(probe.delimiters, has_digest=False)
    with content.open("rb") as stream, target.open("wb") as out:
        for block in whole_lines(stream, _terminator(probe)):
            if not block.isascii():
                try:
                    block = block.decode(codec).encode()
                except UnicodeDecodeError:
                    text = block.decode(codec, errors="surrogateescape")
                    text = _FALSE_CHARACTER.sub("\udcff", text)
                    block = text.encode(errors="surrogateescape")
            out.write(block)
            prober.update(block)
    return prober.finish()


def _copy_wide(content: Path, target: Path, *, codec: str, mark: bytes, probe: Probe) -> Probe:
    prober = Prober(probe.delimiters, has_digest=False)
    decoder = codecs.getincrementaldecoder(codec)(errors="surrogatepass")
    with content.open("rb") as stream, target.open("wb") as out:
        stream.seek(len(mark))
        while chunk := stream.read(CHUNK_BYTES):
            block = decoder.decode(chunk).encode(errors="surrogatepass")
            if block:
                out.write(block)
                prober.update(block)
        if decoder.getstate()[0]:
            # half a character: the file was cut
            out.write(b"\xff")
            prober.update(b"\xff")
    return prober.finish()


def _terminator(probe: Probe) -> bytes:
    return b"\r" if probe.has_lone_cr and not probe.has_line_feed else b"\n"
