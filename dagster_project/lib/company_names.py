"""Company names in a form in which two systems' spellings of one company are equal.

cleanco knows the legal forms; its own `basename` walks all 321 of them for every name and takes
three times as long (39 against 13 microseconds), so that here its terms are looked up in a set.
"""

import re
import unicodedata
from functools import cache

from cleanco.clean import prepare_default_terms
from cleanco.non_nfkd_map import NON_NFKD_MAP

# Legal forms that cleanco does not list, and terms of cleanco that more often name a country.
MORE_FORMS = ("ug", "pty", "cie", "sci", "selarl", "earl")
NOT_A_FORM = frozenset({"uk", "eu", "nl", "at"})
# Only these also stand before the name (`SARL Dupont`); `AS Roma` and `Spa Belge` keep theirs.
LEADING_FORMS = frozenset(
    (
        "sa",
        "sas",
        "sasu",
        "sarl",
        "eurl",
        "snc",
        "sca",
        "scop",
        "sci",
        "selarl",
        "earl",
        "gie",
        "ooo",
    )
)
AND_WORDS = frozenset({"&", "and", "et", "und", "+"})
LETTERS = str.maketrans(
    {**NON_NFKD_MAP, "ß": "ss", "œ": "oe", "æ": "ae", "ı": "i", "ð": "d", "þ": "th"}
)
_PUNCTUATION = str.maketrans("", "", ".,-;:()")
_INITIALS = re.compile(r"(?<!\w)(?:\w\.)+\w?(?!\w)")
_NOT_A_WORD = re.compile(r"[^\w&]+|_+")


def normalise_name(name: str) -> str | None:
    """Lower case, without accents, punctuation and legal form, `&` as `and`; None if empty.

    A name that is only a legal form keeps its last word.
    """
    words = _folded(name).replace("&", " & ").split()
    words = ["&" if word in AND_WORDS else word for word in words]
    kept = _without_forms(words)
    text = " ".join(_INITIALS.sub(_joined, word) if "." in word else word for word in kept)
    plain = _NOT_A_WORD.sub(" ", text).split()
    while len(plain) > 1 and plain[-1] == "&":
        plain.pop()
    while len(plain) > 1 and plain[0] == "&":
        plain.pop(0)
    if not any(word != "&" for word in plain):
        return None
    return " ".join("and" if word == "&" else word for word in plain)


def _folded(name: str) -> str:
    decomposed = unicodedata.normalize("NFKD", name.casefold().translate(LETTERS))
    if decomposed.isascii():
        return decomposed
    return "".join(letter for letter in decomposed if unicodedata.category(letter) != "Mn")


def _joined(match: re.Match[str]) -> str:
    return match.group().replace(".", "")


@cache
def _forms() -> tuple[frozenset[str], int]:
    """Legal forms, each as its words joined by blanks, and the most words that one has."""
    terms = {
        " ".join("&" if word in AND_WORDS else word for word in words)
        for _, words in prepare_default_terms()
    }
    forms = frozenset((terms | set(MORE_FORMS)) - NOT_A_FORM - {"&"})
    return forms, max(form.count(" ") for form in forms) + 1


def _without_forms(words: list[str]) -> list[str]:
    forms, longest = _forms()
    kept = list(words)
    bare = [word.translate(_PUNCTUATION) for word in words]
    removed = True
    while removed:
        removed = False
        while len(kept) > 1 and bare[-1] in ("", "&"):
            del kept[-1], bare[-1]
        for count in range(min(longest, len(kept) - 1), 0, -1):
            tail = bare[-count:]
            spaced_letters = count > 1 and all(len(word) == 1 for word in tail)
            if " ".join(tail) in forms or (spaced_letters and "".join(tail) in forms):
                del kept[-count:], bare[-count:]
                removed = True
                break
    while len(kept) > 1 and bare[0] in LEADING_FORMS:
        del kept[0], bare[0]
    return kept
