"""Whether a text names somebody who was forgotten."""

from __future__ import annotations

from collections.abc import Iterable

from dagster_project.lib.forgetting.forms import (
    MAX_ADDRESS,
    digest_spans,
    mailbox,
    parents,
    plain_address,
    spans,
)
from dagster_project.lib.forgetting.record import ForgottenRecord, Kind
from dagster_project.lib.phones import digits_of, normalise_phone

PLACEHOLDER = "(forgotten)"
NAME_CHARACTERS = 12
SHORT_ID_CHARACTERS = 15
LONG_ID_CHARACTERS = 18


class Matcher:
    """Asks a record; addresses are asked for once."""

    def __init__(self, record: ForgottenRecord) -> None:
        """Take the record as it is now."""
        self.record = record
        self._marks = {kind: frozenset(found) for kind, found in record.marks.items()}
        self._addresses: dict[str, bool] = {}
        self.fingerprint = record.fingerprint

    def has(self, kind: Kind) -> bool:
        """Whether anything of this kind is forgotten."""
        return kind in self._marks

    def _is(self, kind: Kind, text: str) -> bool:
        return kind in self._marks and self.record.mark(kind, text) in self._marks[kind]

    def address(self, plain: str) -> bool:
        """Whether a plain address is forgotten, by itself or by its domain."""
        if plain not in self._addresses:
            host = plain.rpartition("@")[2]
            self._addresses[plain] = self._is("email", mailbox(plain)) or (
                self.has("domain") and any(self._is("domain", above) for above in parents(host))
            )
        return self._addresses[plain]

    def email(self, text: str) -> bool:
        """Whether the value of a column of addresses names somebody forgotten."""
        return any(self.address(plain) for plain in addresses_in(text))

    def phone(self, text: str, country: str) -> bool:
        """Whether a number, read in a country ('' where none is known), is one that only somebody forgotten had.

        Without a country the digits count as they are dialled at home; in another country they are another number.
        """
        if not self.has("phone"):
            return False
        form = normalise_phone(text, country).value or ("" if country else digits_of(text))
        return bool(form) and self._is("phone", form)

    def contact(self, system: str, contact_id: str) -> bool:
        """Whether a contact of the CRM is forgotten."""
        return self._is("contact", f"{system}:{contact_id}")

    def contact_of_layout(self, system: str, contact_id: str) -> bool:
        """The same by the id as the system writes it: Salesforce's 18 characters are 15 and three to check them."""
        return self.contact(system, contact_id) or self.contact(
            system, contact_id[:SHORT_ID_CHARACTERS]
        )

    def contact_key(self, key: str) -> bool:
        """The same by its key, `system:contact_id`."""
        return self._is("contact", key)

    def account(self, system: str, entity: str, account_id: str) -> bool:
        """Whether an account of a CRM (`accounts`) or an ERP (`customers`) is forgotten."""
        return self._is("account", f"{system}:{entity}:{account_id}")

    def account_key(self, key: str) -> bool:
        """The same by its key, `system:entity:id`."""
        return self._is("account", key)

    def reference(self, text: str) -> bool:
        """Whether governance means a forgotten account by this name."""
        return self._is("account", text) or self._is("reference", text)

    def replaced(self, text: str) -> str:
        """The text of a cell without forgotten addresses, and digests of them; a name of no meaning stands there."""
        other, count = self.all_replaced(text)
        if not count and "@" in text and len(text) <= MAX_ADDRESS:
            whole = plain_address(text)
            return self.alias(whole) if whole and self.address(whole) else text
        return other

    def all_replaced(self, text: str) -> tuple[str, int]:
        """The same of a text of any length, and how many were in it."""
        found: list[tuple[int, int, str]] = []
        if "@" in text:
            found = [span for span in spans(text) if self.address(span[2])]
        if self.has("digest"):
            found += [span for span in digest_spans(text) if self._is("digest", span[2])]
        pieces: list[str] = []
        at = 0
        for begin, end, named in sorted(found):
            if begin >= at:
                pieces += [text[at:begin], self.alias(named)]
                at = end
        return "".join([*pieces, text[at:]]), len(found)

    def alias(self, named: str) -> str:
        """One name for a mailbox wherever it stands, so that ids made of addresses still join."""
        text = mailbox(named) if "@" in named else named
        return f"forgotten-{self.record.mark('email', text)[:NAME_CHARACTERS]}"

    def changes(self, texts: Iterable[str]) -> dict[str, str]:
        """Those of the texts that name somebody, with what is to stand in their place."""
        pairs = ((text, self.replaced(text)) for text in texts)
        return {text: other for text, other in pairs if text != other}


NOBODY = Matcher(ForgottenRecord(key=""))


def addresses_in(text: str) -> set[str]:
    """The plain addresses of a cell: the cell as a whole, with spaces in it, or those within it."""
    if "@" not in text:
        return set()
    whole = plain_address(text)
    return {plain for _, _, plain in spans(text)} | ({whole} if whole else set())
