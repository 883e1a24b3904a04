"""Two spellings of one mailbox are one; a digest of it is known in each form that a destination takes."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.lib.forgetting.forms import (
    digest_spans,
    digests,
    host_of,
    mailbox,
    parents,
    plain_address,
    spans,
)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Anna.Smith@Example.COM", "anna.smith@example.com"),
        ("  anna . smith @ example.com ", "anna.smith@example.com"),
        ("mailto:anna@example.com", "anna@example.com"),
        ("<anna@example.com>;", "anna@example.com"),
        ("anna@bücher.example", "anna@xn--bcher-kva.example"),
        ("anna@example.com.", "anna@example.com"),
        ("ａnna@example.com", "anna@example.com"),
        ("anna", None),
        ("anna@localhost", None),
        ("a@b@example.com", None),
        ("@example.com", None),
        ("", None),
    ],
)
def test_an_address_has_one_plain_form(text: str, plain: str | None) -> None:
    assert plain_address(text) == plain


@pytest.mark.parametrize(
    ("address", "box"),
    [
        ("j.o.e+news@gmail.com", "joe@gmail.com"),
        ("joe@googlemail.com", "joe@gmail.com"),
        ("j.oe+news@example.com", "j.oe+news@example.com"),
    ],
)
def test_gmail_knows_neither_dots_nor_what_follows_a_plus(address: str, box: str) -> None:
    assert mailbox(address) == box


def test_addresses_are_found_amid_text() -> None:
    text = '{"mail": "Anna <Anna@Example.com>, bob@example.org", "x": "no@", "y": "a@b"}'
    assert [text[begin:end] for begin, end, _ in spans(text)] == [
        "Anna@Example.com",
        "bob@example.org",
    ]
    assert [plain for _, _, plain in spans(text)] == ["anna@example.com", "bob@example.org"]


def test_digests_are_those_that_destinations_take() -> None:
    # written out: trimmed and lower-cased; gmail as Google hashes it; dots and plus as Microsoft does
    wanted = {
        hashlib.sha256(text.encode()).hexdigest()
        for text in (
            "j.doe+x@gmail.com",
            "jdoe@gmail.com",
            "j.doe@gmail.com",
            "jdoe@googlemail.com",
        )
    }
    assert wanted <= digests("j.doe+x@gmail.com")
    assert hashlib.md5(b"anna@example.com").hexdigest() in digests("anna@example.com")
    assert hashlib.sha1(b"anna@example.com").hexdigest() in digests("anna@example.com")
    assert not digests("anna@example.com") & digests("bob@example.com")


def test_a_digest_is_found_in_any_letter_case_and_nowhere_within_a_longer_word() -> None:
    digest = hashlib.sha256(b"anna@example.com").hexdigest()
    assert [found for _, _, found in digest_spans(f"x,{digest.upper()},y")] == [digest]
    assert not list(digest_spans(f"{digest}0"))
    assert not list(digest_spans(digest[:50]))


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("Example.com", "example.com"),
        ("https://www.example.com/about", "example.com"),
        ("@mail.example.co.uk", "mail.example.co.uk"),
        ("anna@example.com", "example.com"),
        ("bücher.de", "xn--bcher-kva.de"),
        ("corp.internal", "corp.internal"),
        ("localhost", None),
        ("com", None),
        ("co.uk", None),
        ("", None),
    ],
)
def test_a_domain_is_a_companys_and_no_suffix(text: str, host: str | None) -> None:
    assert host_of(text) == host


def test_a_host_lies_below_its_parents() -> None:
    assert parents("a.b.example.com") == ["a.b.example.com", "b.example.com", "example.com", "com"]


LETTERS = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=12)


@given(first=LETTERS, second=LETTERS, tag=LETTERS, upper=st.booleans(), spaces=st.integers(0, 3))
def test_every_spelling_of_a_gmail_address_is_the_same_mailbox(
    first: str, second: str, tag: str, *, upper: bool, spaces: int
) -> None:
    spelt = f"{' ' * spaces}{first}.{second}+{tag} @googlemail.com"
    plain = plain_address(spelt.upper() if upper else spelt)
    assert plain is not None
    assert mailbox(plain) == f"{first}{second}@gmail.com"
    assert hashlib.sha256(f"{first}{second}@gmail.com".encode()).hexdigest() in digests(plain)
