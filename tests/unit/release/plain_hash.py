"""The content hash in plain Python, by the words of `lib/release/content.py`: another way to the same figure."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

EPOCH = date(1970, 1, 1)


def header_of(columns: Mapping[str, str]) -> bytes:
    """Columns by name, each with its way."""
    return "".join(f"{name}|{way}\n" for name, way in columns.items()).encode()


def columns_hashed(columns: Mapping[str, str], rows: Sequence[Sequence[Any]]) -> bytes:
    """The hashes of all columns one after the other."""
    found = b""
    for way, values in zip(columns.values(), zip(*rows, strict=True), strict=True):
        if way == "text":
            texts = [None if value is None else value.encode() for value in values]
            first = b"".join(struct.pack("<i", -1 if text is None else len(text)) for text in texts)
            then = b"".join(text for text in texts if text is not None)
        else:
            first = bytes(value is not None for value in values)
            then = b"".join(_number(value, way) for value in values)
        pair = hashlib.sha256(first).digest() + hashlib.sha256(then).digest()
        found += hashlib.sha256(pair).digest()
    return found


def _number(value: Any, way: str) -> bytes:
    if way.startswith("decimal."):
        units = Decimal(value or 0).scaleb(int(way.partition(".")[2]))
        return int(units).to_bytes(16, "little", signed=True)
    if way == "double":
        return struct.pack("<d", round(value or 0.0, 12) + 0.0)
    if isinstance(value, datetime):
        value = (value - datetime(1970, 1, 1)).total_seconds() * 1_000_000
    elif isinstance(value, date):
        value = (value - EPOCH).days
    return struct.pack("<q", int(value or 0))
