"""Other documents than invoices: credit notes, cancelled pairs, pro forma, intercompany."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from dagster_project.lib.demo.lines import NO_COST

LAST_DAY = np.datetime64("2026-10-31")
UNKNOWN_CUSTOMERS = ("C990017", "C990042")
_CREDITED_SHARE = 0.022


@dataclass
class DocumentMaker:
    """Makes documents from ordinary invoices; each invoice serves for one purpose only."""

    lines: pd.DataFrame
    rng: np.random.Generator
    intercompany: str
    special: set[str]
    _made: list[pd.DataFrame] = field(default_factory=list)
    _number: int = 0
    _free: list[str] = field(default_factory=list)
    _dates: dict[str, pd.Timestamp] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Shuffle the invoices of ordinary customers."""
        ordinary = self.lines[~self.lines["customer_id"].isin(self.special)]
        heads = ordinary.drop_duplicates("invoice_id")
        ids = heads["invoice_id"].tolist()
        self._dates = dict(zip(ids, heads["invoice_date"].tolist(), strict=True))
        self._free = [ids[i] for i in self.rng.permutation(len(ids))]

    def take(self, count: int, *, since: str = "2023-11-01") -> pd.DataFrame:
        """Return the lines of ``count`` invoices since a day that nothing else was made of."""
        start = pd.Timestamp(since)
        chosen = [invoice for invoice in self._free if self._dates[invoice] >= start][:count]
        taken = set(chosen)
        self._free = [invoice for invoice in self._free if invoice not in taken]
        return self.lines[self.lines["invoice_id"].isin(taken)]

    def add(
        self,
        source: pd.DataFrame,
        document_type: str,
        prefix: str,
        *,
        sign: int = 1,
        delay: tuple[int, int] = (0, 1),
        refers: bool = False,
    ) -> pd.DataFrame:
        """Add a document per invoice in ``source``, at most some days later."""
        made = source.copy()
        invoices = made["invoice_id"].drop_duplicates().tolist()
        names = {invoice: f"{prefix}-{self._next():06d}" for invoice in invoices}
        days = {invoice: int(self.rng.integers(*delay)) for invoice in invoices}
        shifted = made["invoice_date"].to_numpy() + made["invoice_id"].map(days).to_numpy().astype(
            "timedelta64[D]"
        )
        made["invoice_date"] = np.minimum(shifted, LAST_DAY.astype("datetime64[s]"))
        made["reverses_invoice_id"] = made["invoice_id"] if refers else ""
        made["invoice_id"] = made["invoice_id"].map(names)
        made["document_type"] = document_type
        made["is_cancelled"] = False
        for column in ("quantity", "net"):
            made[column] *= sign
        made["cost"] = np.where(made["cost"] == NO_COST, NO_COST, made["cost"] * sign)
        self._made.append(made)
        return made

    def _next(self) -> int:
        self._number += 1
        return self._number

    def all_lines(self) -> pd.DataFrame:
        """Return the ordinary lines and all documents made of them."""
        return pd.concat([self.lines, *self._made], ignore_index=True)


def add_documents(maker: DocumentMaker) -> pd.DataFrame:
    """Return the ordinary lines with every kind of document of this module."""
    _add_credit_notes(maker)
    _add_cancellations(maker)
    for document_type, prefix, count, reason in (
        ("pro_forma", "PF", 46, "pro_forma"),
        ("order", "SO", 4, "pro_forma"),
        ("quote", "QU", 3, "pro_forma"),
        ("debit_note", "DN", 10, ""),
        ("down_payment", "DP", 4, ""),
        ("correction", "CO", 3, ""),
    ):
        made = maker.add(
            maker.take(count, since="2024-06-01"), document_type, prefix, delay=(3, 20)
        )
        made["left_out"] = reason
    is_sister = maker.lines["customer_id"] == maker.intercompany
    sister = maker.lines[is_sister & (maker.lines["invoice_date"] >= np.datetime64("2025-01-01"))]
    chosen = sister["invoice_id"].drop_duplicates().tolist()[:24]
    made = maker.add(sister[sister["invoice_id"].isin(chosen)], "intercompany", "IC")
    made["left_out"] = "intercompany"
    for position, customer in enumerate(UNKNOWN_CUSTOMERS):
        made = maker.add(maker.take(3 + position, since="2025-12-01"), "invoice", "MAN")
        made["customer_id"] = customer
    return maker.all_lines()


def _add_credit_notes(maker: DocumentMaker) -> None:
    """Credit whole invoices or their first lines; ten credit notes are written without sign."""
    count = round(maker.lines["invoice_id"].nunique() * _CREDITED_SHARE)
    taken = maker.take(count)
    whole = maker.rng.random(len(taken)) < 0.25
    partial = taken[(taken["line_id"] == 10) | whole]
    maker.add(partial, "credit_note", "CN", sign=-1, delay=(4, 45), refers=True)
    maker.add(maker.take(30), "credit_note", "CN", sign=-1, delay=(4, 45))
    unsigned = maker.add(
        maker.take(10, since="2025-06-01"),
        "credit_note",
        "CN",
        sign=-1,
        delay=(4, 30),
        refers=True,
    )
    unsigned["is_unsigned"] = True
    _add_mixed_credit_notes(maker)
    _add_returns(maker)


def _add_mixed_credit_notes(maker: DocumentMaker) -> None:
    """Credit an invoice less a restocking fee: the fee's line keeps its own sign."""
    taken = maker.take(30, since="2025-11-01")
    sizes = taken.groupby("invoice_id")["line_id"].transform("size")
    mixed = maker.add(taken[sizes >= 2], "credit_note", "CN", sign=-1, delay=(4, 20), refers=True)
    last = mixed.groupby("invoice_id")["line_id"].transform("max") == mixed["line_id"]
    first = mixed.drop_duplicates("invoice_id").set_index("invoice_id")["net"]
    fee = (-mixed["invoice_id"].map(first) // 100_000) * 10_000
    mixed.loc[last, "net"] = fee[last]
    for column, value in (("quantity", 100), ("cost", 0), ("product", -1), ("cost_currency", "")):
        mixed.loc[last, column] = value


def _add_returns(maker: DocumentMaker) -> None:
    """Credit two customers with more in the last month than they bought in twelve."""
    window, customer = np.datetime64("2025-11-01"), maker.lines["customer_id"]
    is_recent = maker.lines["invoice_date"] >= window
    is_usable = ~customer.isin(maker.special)
    recent = maker.lines[is_recent & is_usable].groupby("customer_id")["net"].sum()
    earlier = maker.lines[~is_recent & is_usable].groupby("customer_id")["net"].sum()
    drop = (earlier.reindex(recent.index).fillna(0) > 4 * recent) & (recent > 0)
    for name in recent[drop].sort_index().index[:2]:
        returned = maker.lines[(customer == name) & ~is_recent]
        made = maker.add(returned, "credit_note", "CN", sign=-1, refers=True)
        made["invoice_date"] = np.datetime64("2026-10-15", "s")


def _add_cancellations(maker: DocumentMaker) -> None:
    """Cancel invoices by a document, four of these without sign, and five by a flag alone."""
    for count, is_unsigned in ((10, False), (4, True)):
        taken = maker.take(count, since="2025-02-01")
        maker.lines.loc[taken.index, "is_cancelled"] = True
        made = maker.add(taken, "cancellation", "CX", sign=-1, delay=(1, 9), refers=True)
        made["is_unsigned"] = is_unsigned
    taken = maker.take(5, since="2025-11-01")
    maker.lines.loc[taken.index, "is_cancelled"] = True
    maker.lines.loc[taken.index, "left_out"] = "cancelled_without_reversal"
