"""Normal forms of VAT numbers, registration numbers, web domains, hosts and postal codes.

Each function gives the normal form, or None with the reason why the value identifies nobody.
python-stdnum checks numbers, tldextract knows the suffixes (its bundled list: nothing is fetched).
"""

import re
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import idna
import tldextract
from stdnum.exceptions import ValidationError
from stdnum.util import clean, get_cc_module

PUBLIC_DOMAINS = Path(__file__).with_name("public_email_domains.txt")

# Company registration numbers by country; where the country is not here no check is known.
REGISTRATION_MODULES = {
    "AT": ("at.businessid",),
    "AU": ("au.abn", "au.acn"),
    "BE": ("be.vat",),
    "BR": ("br.cnpj",),
    "CH": ("ch.uid",),
    "DK": ("dk.cvr",),
    "EE": ("ee.registrikood",),
    "ES": ("es.nif",),
    "FI": ("fi.ytunnus",),
    "FR": ("fr.siren",),
    "HR": ("hr.oib",),
    "JP": ("jp.cn",),
    "NO": ("no.orgnr",),
    "PL": ("pl.nip", "pl.regon"),
    "PT": ("pt.nif",),
    "SE": ("se.orgnr",),
}
VAT_COUNTRIES = {"EL": "GR", "XI": "GB", "MC": "FR", "IM": "GB"}
# Norway (MVA) and Switzerland (MWST, TVA, IVA, TPV) write a suffix behind the number, which
# systems keep or leave out as they like.
VAT_SUFFIX = {
    "NO": (re.compile(r"MVA$"), "no.orgnr"),
    "CH": (re.compile(r"(MWST|TVA|IVA|TPV)$"), "ch.uid"),
}
_SEPARATORS = re.compile(r"[^0-9A-Z]")
_POSTAL_COUNTRY = re.compile(r"[A-Z]{1,3}[- ]+(?=\d{4,5}$)")
_PLAIN_HOST = re.compile(r"[a-z0-9][a-z0-9-]*(?:\.[a-z0-9-]+)+")
_HOST = re.compile(r"^(?:[a-z][a-z0-9+.-]*:)?(?://)?(?:[^/@\s]*@)?([^/?#:\s]+)", re.IGNORECASE)


class NormalForm(NamedTuple):
    """`value` is None if the raw value identifies nobody; `problem` then says why."""

    value: str | None
    problem: str | None = None


def normalise_vat(raw: str, country: str) -> NormalForm:
    """The VAT number with its ISO country prefix (`GR` for EL, `GB` for XI), checked by stdnum.

    The prefix of the number itself comes before `country` (ISO alpha-2, or empty).
    """
    number = _compact(raw)
    if _is_placeholder(number):
        return NormalForm(None, "placeholder")
    known = False
    for prefix, digits in ((number[:2], number[2:]), (country, number)):
        code = VAT_COUNTRIES.get(prefix, prefix)
        if not _vat_module(code):
            continue
        known = True
        valid = _valid_vat(code, digits)
        if valid is not None:
            return NormalForm(valid)
    return NormalForm(None, "invalid" if known or not country else "not_checkable")


def normalise_registration(raw: str, country: str) -> NormalForm:
    """The company registration number behind its country's code; a SIRET as its SIREN.

    Nine digits may be a DUNS, which has no check digit: they stay unchecked, in any country.
    """
    number = re.sub(r"^DUNS(?:NUMBER|NO|NR)?(?=\d{9}$)", "", _compact(raw))
    if _is_placeholder(number):
        return NormalForm(None, "placeholder")
    if country == "FR" and len(number) == 14:
        if not _is_valid("fr.siret", number):
            return NormalForm(None, "invalid")
        number = number[:9]
    modules = REGISTRATION_MODULES.get(country, ())
    for name in modules:
        for digits in (number, number.removeprefix(country)):
            valid = _validated(name, digits)
            if valid is not None:
                return NormalForm(country + valid.removeprefix(country))
    if modules and not re.fullmatch(r"\d{9}", number):
        return NormalForm(None, "invalid")
    return NormalForm(country + number.removeprefix(country))


def normalise_domain(raw: str) -> NormalForm:
    """The registered domain of a URL, a host or an e-mail address, in lower-case punycode."""
    host = _written_host(raw)
    domain = _extractor()(host).top_domain_under_public_suffix if host else None
    if host in public_domains() or domain in public_domains():
        return NormalForm(None, "public_domain")
    return NormalForm(domain) if domain else NormalForm(None, "invalid")


def normalise_host(raw: str) -> NormalForm:
    """The host of the same, whole but for `www.`, whoever's it is; a public suffix (`com`, `co.uk`) is none."""
    host = (_written_host(raw) or "").removeprefix("www.")
    is_suffix = _icann_extractor()(host).suffix == host
    return NormalForm(None, "invalid") if "." not in host or is_suffix else NormalForm(host)


def _written_host(raw: str) -> str | None:
    """The first host of a text, in lower-case punycode."""
    first = (re.split(r"[;,\s]+", raw.strip(), maxsplit=1)[0]).strip("<>\"'")
    found = _HOST.match(first.rpartition("@")[2] if "//" not in first else first)
    if found is None:
        return None
    host = found.group(1).strip(".").lower()
    if _PLAIN_HOST.fullmatch(host):
        return host
    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return None


def normalise_postal_code(raw: str, country: str) -> NormalForm:
    """Upper-case letters and digits, leading zeros kept, without `F-` before and a US +4 behind."""
    text = _POSTAL_COUNTRY.sub("", raw.strip().upper())
    code = _SEPARATORS.sub("", text)
    if country == "US" and re.fullmatch(r"\d{9}", code):
        code = code[:5]
    if not any(character.isdigit() for character in code):
        return NormalForm(None, "invalid")
    return NormalForm(None, "placeholder") if not code.strip("0") else NormalForm(code)


@cache
def public_domains() -> frozenset[str]:
    """Domains of public mailboxes and of sites that carry many companies' pages."""
    lines = PUBLIC_DOMAINS.read_text(encoding="utf-8").splitlines()
    return frozenset(line.strip() for line in lines if line.strip() and not line.startswith("#"))


@cache
def _extractor() -> tldextract.TLDExtract:
    # Suffixes such as myshopify.com belong to the host: what stands before them is the company's.
    return tldextract.TLDExtract(
        cache_dir=None, suffix_list_urls=(), include_psl_private_domains=True
    )


@cache
def _icann_extractor() -> tldextract.TLDExtract:
    # Whoever silences all of myshopify.com means all that is below it.
    return tldextract.TLDExtract(cache_dir=None, suffix_list_urls=())


def _compact(raw: str) -> str:
    return _SEPARATORS.sub("", clean(raw).upper())


def _is_placeholder(number: str) -> bool:
    """`N/A`, `none`, `0000000`, `FR99999999999`: typed where a field may not stay empty."""
    digits = [character for character in number if character.isdigit()]
    return len(digits) < 3 or (len(digits) > 3 and len(set(digits)) == 1)


@cache
def _vat_module(country: str) -> Any | None:
    return get_cc_module(country, "vat") if re.fullmatch(r"[A-Z]{2}", country) else None


@cache
def _module(name: str) -> Any:
    return import_module(f"stdnum.{name}")


def _validated(module: str, number: str) -> str | None:
    try:
        return str(_module(module).validate(number))
    except ValidationError:
        return None


def _is_valid(module: str, number: str) -> bool:
    return _validated(module, number) is not None


def _valid_vat(country: str, number: str) -> str | None:
    if country in VAT_SUFFIX:
        suffix, module = VAT_SUFFIX[country]
        # A Swiss number starts with CHE, of which CH was taken for the country's prefix.
        bare = suffix.sub("", number)
        valid = _validated(module, f"CH{bare}" if country == "CH" and bare[:1] == "E" else bare)
    else:
        try:
            valid = str(_vat_module(country).validate(number))  # type: ignore[union-attr]
        except ValidationError:
            return None
    return None if valid is None else country + valid.removeprefix(country)
