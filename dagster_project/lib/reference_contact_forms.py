"""Normal forms of people's names and addresses, in plain Python: what the SQL is compared with.

Shares no code with the models. Sources: Google's "Format user data" of the Data Manager API, Meta's "Customer
information parameters".
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

AROUND = "\"'.,;"
NOT_LOCAL = '@<>(),;:"[\\]'
INVISIBLE = "\u00ad\u200b\u2060\ufeff"


def tidy(text: str | None) -> str | None:
    """Composed, with single spaces."""
    return " ".join(_spaced(text or "").split(" ")).strip() or None if text else None


def address(text: str | None) -> str | None:
    """The one e-mail address in a text in lower case without blanks; None of what is none, or several."""
    bare = _spaced((text or "").lower()).replace(" ", "")
    bare = bare.partition("<")[2] if "<" in bare else bare
    bare = bare.rpartition(">")[0] if ">" in bare else bare
    while bare.startswith(("mailto:", *AROUND)):
        bare = bare.removeprefix("mailto:").lstrip(AROUND)
    local, _, host = bare.rstrip(AROUND).partition("@")
    labels = host.split(".")
    is_address = local and len(labels) > 1 and all(labels)
    if not is_address or set(local) & set(NOT_LOCAL) or set(host) & set(NOT_LOCAL + "?&#/"):
        return None
    return f"{local}@{host}"


def punycode(host: str) -> str:
    """The host in ASCII; one that has no such form as it is."""
    try:
        return host if host.isascii() else host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return host


def mailbox(text: str | None) -> str | None:
    """The same of all spellings of an address that lead to one mailbox."""
    email = google_address(address(text))
    if email is None:
        return None
    local, _, host = email.partition("@")
    return f"{local}@{'gmail.com' if host == 'googlemail.com' else punycode(host)}"


def google_address(email: str | None) -> str | None:
    """Without the dots and tags that Google's mail reads over."""
    if email is None:
        return None
    local, _, host = email.partition("@")
    if host not in ("gmail.com", "googlemail.com") or local.startswith("+"):
        return email
    return f"{local.split('+')[0].replace('.', '')}@{host}"


def letters(text: str | None) -> str | None:
    """Letters, marks and digits in lower case."""
    composed = unicodedata.normalize("NFC", (text or "").lower())
    return "".join(c for c in composed if unicodedata.category(c)[0] in "LMN") or None


def sha256(text: str | None) -> str | None:
    """Lower-case hex."""
    return None if text is None else hashlib.sha256(text.encode()).hexdigest()


def _spaced(text: str) -> str:
    """Composed, each run of blanks as one space."""
    composed = unicodedata.normalize("NFC", text)
    blanks = (
        unicodedata.category(c)[0] == "Z" or unicodedata.category(c) == "Cc" or c in INVISIBLE
        for c in composed
    )
    marked = "".join(" " if blank else c for c, blank in zip(composed, blanks, strict=True))
    return re.sub(" +", " ", marked)
