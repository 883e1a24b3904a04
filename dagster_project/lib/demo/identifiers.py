"""Registration and VAT numbers with true check digits, and false ones.

python-stdnum checks numbers but makes none: only the digits are drawn here, the check digits come
from its algorithms where it offers them (Luhn, ISO 7064, CH) and from the country's rule where it
only validates (BE, GB).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from stdnum import luhn
from stdnum.ch import uid
from stdnum.iso7064 import mod_11_10

_GB_WEIGHTS = (8, 7, 6, 5, 4, 3, 2)


def digits(rng: np.random.Generator, count: int, *, first: int = 1) -> str:
    """Return ``count`` random digits, the first of them at least ``first``."""
    drawn = rng.integers(0, 10, size=count)
    drawn[0] = rng.integers(first, 10)
    return "".join(str(digit) for digit in drawn)


def siren(rng: np.random.Generator) -> str:
    """Return a French company number: 8 digits and their Luhn digit."""
    body = digits(rng, 8, first=3)
    return body + luhn.calc_check_digit(body)


def _vat_fr(rng: np.random.Generator) -> str:
    return french_vat(siren(rng))


def french_vat(company_number: str) -> str:
    """Return the VAT number that belongs to a SIREN."""
    return f"FR{int(company_number + '12') % 97:02d}{company_number}"


def _vat_de(rng: np.random.Generator) -> str:
    body = digits(rng, 8)
    return f"DE{body}{mod_11_10.calc_check_digit(body)}"


def _vat_be(rng: np.random.Generator) -> str:
    body = "0" + digits(rng, 7, first=4)
    return f"BE{body}{97 - int(body) % 97:02d}"


def _vat_gb(rng: np.random.Generator) -> str:
    body = digits(rng, 7)
    weighted = sum(w * int(d) for w, d in zip(_GB_WEIGHTS, body, strict=True))
    return f"GB{body}{97 - weighted % 97:02d}"


def _vat_es(rng: np.random.Generator) -> str:
    body = f"{rng.integers(1, 53):02d}{digits(rng, 5)}"
    return f"ES{'AB'[rng.integers(0, 2)]}{body}{luhn.calc_check_digit(body)}"


def _vat_it(rng: np.random.Generator) -> str:
    body = digits(rng, 7) + f"{rng.integers(1, 101):03d}"
    return f"IT{body}{luhn.calc_check_digit(body)}"


def _vat_ch(rng: np.random.Generator) -> str:
    return f"{_uid_ch(rng)} MWST"


def _uid_ch(rng: np.random.Generator) -> str:
    body = digits(rng, 8)
    while len(uid.calc_check_digit(body)) > 1:
        body = digits(rng, 8)
    return str(uid.format(f"CHE{body}{uid.calc_check_digit(body)}"))


_VAT: dict[str, Callable[[np.random.Generator], str]] = {
    "FR": _vat_fr,
    "DE": _vat_de,
    "BE": _vat_be,
    "GB": _vat_gb,
    "ES": _vat_es,
    "IT": _vat_it,
    "CH": _vat_ch,
}
VAT_LINK_COUNTRIES = ("FR", "DE", "BE", "GB", "ES", "IT")


def vat_number(country: str, rng: np.random.Generator) -> str:
    """Return a valid VAT number of the country, or "" where there is no VAT (US)."""
    make = _VAT.get(country)
    return make(rng) if make else ""


def registration_number(country: str, rng: np.random.Generator, *, vat: str, city: str) -> str:
    """Return the number under which the country's companies are registered.

    France and Belgium derive it from the VAT number, as the law does.
    """
    if country == "FR":
        return vat[4:]
    if country == "BE":
        return f"{vat[2:6]}.{vat[6:9]}.{vat[9:]}"
    if country == "CH":
        return vat.removesuffix(" MWST")
    if country == "DE":
        return f"HRB {digits(rng, 6)} {city}"
    if country == "IT":
        return f"{city[:2].upper()}-{digits(rng, 7)}"
    if country == "ES":
        return vat[2:]
    return digits(rng, 8 if country == "GB" else 9)


def spoilt(vat: str) -> str:
    """Return the number with a wrong check digit."""
    last = int(vat[-1])
    return f"{vat[:-1]}{(last + 5) % 10}"
