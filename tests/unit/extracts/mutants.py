"""Damaged versions of a file, as transfers, editors and careless exports make them; the same for each seed."""

from __future__ import annotations

import random
from collections.abc import Callable

Damage = Callable[[bytes, random.Random], bytes]


def mutant(content: bytes, seed: int) -> tuple[str, bytes]:
    """(name of the damages, damaged content) of one to three damages."""
    rng = random.Random(seed)
    names = []
    for _ in range(rng.randint(1, 3)):
        damage = rng.choice(DAMAGES)
        content = damage(content, rng)
        names.append(damage.__name__)
    return "+".join(names), content


def flip_bytes(content: bytes, rng: random.Random) -> bytes:
    """Some bytes become any others."""
    damaged = bytearray(content)
    for _ in range(rng.randint(1, 8)):
        if damaged:
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
    return bytes(damaged)


def cut(content: bytes, rng: random.Random) -> bytes:
    """The end is missing: an interrupted transfer."""
    return content[: rng.randint(0, len(content))]


def cut_out(content: bytes, rng: random.Random) -> bytes:
    """A piece in the middle is missing."""
    start = rng.randint(0, len(content))
    return content[:start] + content[start + rng.randint(1, 60) :]


def double(content: bytes, rng: random.Random) -> bytes:
    """A piece stands twice."""
    start = rng.randint(0, len(content))
    end = min(len(content), start + rng.randint(1, 200))
    return content[:end] + content[start:end] + content[end:]


def append_itself(content: bytes, _: random.Random) -> bytes:
    """The file behind itself, header and all."""
    return content + content


def swap_lines(content: bytes, rng: random.Random) -> bytes:
    """Two lines in each other's place, the header among them."""
    lines = content.splitlines(keepends=True)
    if len(lines) > 1:
        a, b = rng.sample(range(len(lines)), 2)
        lines[a], lines[b] = lines[b], lines[a]
    return b"".join(lines)


def mix_encodings(content: bytes, rng: random.Random) -> bytes:
    """Lines in another code page, or the whole file."""
    codec = rng.choice(["cp1252", "utf-8", "utf-16-le", "cp850", "utf-8-sig"])
    text = content.decode("utf-8", errors="surrogateescape")
    if rng.random() < 0.3:
        return text.encode(codec, errors="replace")
    lines = text.splitlines(keepends=True)
    if lines:
        place = rng.randrange(len(lines))
        lines[place] = lines[place].rstrip("\r\n") + "é\n"
        damaged = [line.encode("utf-8", errors="surrogateescape") for line in lines]
        damaged[place] = lines[place].encode(codec, errors="replace")
        return b"".join(damaged)
    return content


def break_quotes(content: bytes, rng: random.Random) -> bytes:
    """A quote too much or too few."""
    places = [i for i, byte in enumerate(content) if byte == ord('"')]
    if places and rng.random() < 0.5:
        place = rng.choice(places)
        return content[:place] + content[place + 1 :]
    place = rng.randint(0, len(content))
    return content[:place] + b'"' + content[place:]


def break_lines(content: bytes, rng: random.Random) -> bytes:
    """Line ends of another kind, or too many."""
    new = rng.choice([b"\r\n", b"\r", b"\n\n", b"\n \n", b"\x0b", b"\x00\n"])
    if rng.random() < 0.5:
        return content.replace(b"\n", new)
    place = rng.randint(0, len(content))
    return content[:place] + new + content[place:]


def move_separators(content: bytes, rng: random.Random) -> bytes:
    """A separator more or less, or another one throughout."""
    marks = [b",", b";", b"\t", b"|"]
    if rng.random() < 0.3:
        return content.replace(rng.choice(marks), rng.choice(marks))
    place = rng.randint(0, len(content))
    return content[:place] + rng.choice(marks) + content[place:]


DAMAGES: list[Damage] = [
    flip_bytes,
    cut,
    cut_out,
    double,
    append_itself,
    swap_lines,
    mix_encodings,
    break_quotes,
    break_lines,
    move_separators,
]
