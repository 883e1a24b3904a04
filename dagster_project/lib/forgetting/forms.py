"""Normal forms of what names a person: e-mail addresses, domains, and the digests that destinations take.

email-validator and the like judge whether an address can be delivered to; here two spellings of one
mailbox must be found to be one, also where neither is deliverable.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator

import idna

from dagster_project.lib.normal_forms import normalise_host

GMAIL = ("gmail.com", "googlemail.com")
MAX_ADDRESS = 320
DIGEST_LENGTHS = (32, 40, 64)

_BREAKS = r"\s\"'`<>(),;:|=/\\\[\]{}?&*"
_ADDRESS = re.compile(rf"[^{_BREAKS}@]+@[^{_BREAKS}@]+")
_DIGEST = re.compile(r"(?<![0-9A-Za-z])[0-9A-Fa-f]{32,64}(?![0-9A-Za-z])")


def plain_address(text: str) -> str | None:
    """The address in lower case, without any space; None where the text is no single address."""
    joined = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).lower()
    joined = joined.removeprefix("mailto:").strip("<>\"'.,;")
    local, _, host = joined.rpartition("@")
    if not local or "@" in local or "." not in host or len(joined) > MAX_ADDRESS:
        return None
    return f"{local}@{_ascii(host.strip('.'))}"


def bare_address(text: str) -> str | None:
    """The address as destinations and suppressions hash it: lower case, no spaces, accents composed."""
    bare = re.sub(r"\s+", "", unicodedata.normalize("NFC", text)).lower()
    return bare if plain_address(bare) and bare.count("@") == 1 else None


def mailbox(address: str) -> str:
    """The mailbox of a plain address: gmail takes no account of dots, of what follows a plus, nor of its name."""
    local, _, host = address.rpartition("@")
    if host in GMAIL:
        return f"{local.partition('+')[0].replace('.', '')}@gmail.com"
    return address


def spans(text: str) -> Iterator[tuple[int, int, str]]:
    """Where a text holds addresses: begin, end, the plain address."""
    for found in _ADDRESS.finditer(text):
        if address := plain_address(found.group()):
            yield found.start(), found.end(), address


def digest_spans(text: str) -> Iterator[tuple[int, int, str]]:
    """Where a text holds what may be a digest in hexadecimal: begin, end, the digest in lower case."""
    for found in _DIGEST.finditer(text):
        if found.end() - found.start() in DIGEST_LENGTHS:
            yield found.start(), found.end(), found.group().lower()


def digests(address: str) -> set[str]:
    """What a destination may hold in an address's stead: digests of each form that some destination hashes.

    With and without dots and what follows a plus, as Google hashes gmail addresses and Microsoft all of them.
    """
    local, _, host = address.rpartition("@")
    bare = local.partition("+")[0]
    locals_ = {local, bare, local.replace(".", ""), bare.replace(".", "")}
    hosts = set(GMAIL) if host in GMAIL else {host}
    forms = {f"{one}@{other}" for one in locals_ if one for other in hosts}
    return digests_of(forms)


def digests_of(texts: set[str]) -> set[str]:
    """SHA-256, SHA-1 and MD5 of the texts, in hexadecimal."""
    kinds = (hashlib.sha256, hashlib.sha1, hashlib.md5)
    return {kind(text.encode()).hexdigest() for text in texts for kind in kinds}


def host_of(text: str) -> str | None:
    """The host of a domain, an address or a URL, in lower-case punycode; None where it is no company's.

    A public suffix alone (`com`, `co.uk`) is none.
    """
    return normalise_host(text).value


def parents(host: str) -> list[str]:
    """The host and the domains above it: a.b.example.com, b.example.com, example.com, com."""
    labels = host.split(".")
    return [".".join(labels[place:]) for place in range(len(labels))]


def _ascii(host: str) -> str:
    if host.isascii():
        return host
    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return host
