"""Unpacks gzip files under limits."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

from dagster_project.lib.extracts.errors import ExtractError
from dagster_project.lib.extracts.limits import (
    CHUNK_BYTES,
    GIB,
    MAX_COMPRESSION_RATIO,
    MAX_DECOMPRESSED_BYTES,
    RATIO_APPLIES_FROM_BYTES,
)


def unpack(source: Path, target: Path, *, file: str) -> None:
    """Writes the content to `target`, and stops as soon as a limit is passed.

    Raises:
        ExtractError: no gzip file, a cut or damaged one, or a decompression bomb.
    """
    packed = source.stat().st_size
    written = 0
    try:
        with gzip.open(source, "rb") as stream, target.open("wb") as out:
            while chunk := stream.read(CHUNK_BYTES):
                written += len(chunk)
                refuse_bomb(written, packed, file=file)
                out.write(chunk)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ExtractError(
            file,
            f"the gzip file is damaged or cut short ({type(error).__name__})",
            remedy="Copy or export the file again; the transfer may have been interrupted.",
        ) from error


def refuse_bomb(written: int, packed: int, *, file: str) -> None:
    """Raises ExtractError where the unpacked bytes pass a limit."""
    if written > MAX_DECOMPRESSED_BYTES:
        problem = f"the unpacked file passes the limit of {MAX_DECOMPRESSED_BYTES // GIB} GiB"
    elif written > RATIO_APPLIES_FROM_BYTES and written > packed * MAX_COMPRESSION_RATIO:
        problem = f"the unpacked file is more than {MAX_COMPRESSION_RATIO} times the packed one"
    else:
        return
    raise ExtractError(
        file, f"{problem}: a decompression bomb", remedy="Deliver the file unpacked, or in parts."
    )
