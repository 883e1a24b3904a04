"""Single accounts that the method has a rule for, and groups with broken links among sound."""

from __future__ import annotations

from dataclasses import replace

from dagster_project.lib.demo.book import Link, Row, crm_key, erp_key
from dagster_project.lib.demo.registrar import Registrar

GROUPS = 22


def register_specials(registrar: Registrar) -> None:
    """Add the strategic account, the excluded customers, and accounts whose names are traps."""
    book, maker = registrar.book, registrar.maker
    giant = replace(
        maker.make("DE"),
        name="Rheinwerk Turbinen",
        legal_form="AG",
        domain="rheinwerk-turbinen.de",
        industry="Energy",
    )
    book.marks["strategic"] = registrar.add_account(
        giant,
        "prospect",
        website=f"https://www.{giant.domain}",
        vat_number=giant.vat_number,
        employee_count="8400",
        company_revenue="2350000000",
        declared_potential="4800000",
        potential_currency="EUR",
    )
    house = maker.make("FR")
    cash = {"customer_name": "CLIENTS DIVERS COMPTOIR", "is_one_time": "true"}
    book.marks["one_time"] = registrar.add_customer(house, **cash)
    sister = {
        "customer_name": "VALMONT COMPOSANTS IBERIA SL",
        "is_intercompany": "true",
    }
    book.marks["intercompany"] = registrar.add_customer(maker.make("ES"), **sister)
    registrar.add_account(replace(maker.make("DE"), name="Null"), "prospect", account_name="Null")
    windhoek = replace(maker.make("DE"), country="NA", city="Windhoek", postal_code="10005")
    registrar.add_account(
        windhoek, "prospect", account_name="Namib Pumps (Pty) Ltd", email_domain=""
    )
    partners = replace(maker.make("DE"), name="Brandt, Vogel & Partner")
    registrar.add_account(partners, "prospect", account_name='Brandt, Vogel & Partner "BVP" GmbH')
    for country in ("FR", "IT"):
        company = maker.make(country)
        account_id = registrar.add_account(company, "prospect", vat_number=company.vat_number)
        customer_id = registrar.add_customer(company, crm_account_id=account_id)
        book.links.append(Link(account_id, customer_id, "cross_reference"))
        book.marks[f"opened_{country}"] = customer_id


def register_groups(registrar: Registrar) -> None:
    """Tie accounts into groups, in the CRM and a few in the ERP, and plant links to be cut."""
    book, rng = registrar.book, registrar.rng
    linked = {link.crm_account_id for link in book.links if link.rule == "cross_reference"}
    free = [a for a, row in book.accounts.items() if a in linked and a not in book.deleted]
    drawn = [free[i] for i in rng.permutation(len(free))]
    for _ in range(GROUPS):
        members = [drawn.pop() for _ in range(int(rng.integers(3, 8)))]
        for position, member in enumerate(members[1:], start=1):
            # a heap's shape: the first is the head, each of the others has at most two daughters
            _set_parent(book.accounts[member], member, members[(position - 1) // 2], registrar)
    survivor = next(iter(book.merged.values()))
    child, loser = drawn.pop(), next(iter(book.merged))
    book.accounts[child]["parent_account_id"] = loser
    book.parents[crm_key(child)] = crm_key(book.survivor(survivor))
    _break_links(registrar, drawn)
    _tie_in_erp(registrar)


def _set_parent(row: Row, member: str, parent: str, registrar: Registrar) -> None:
    row["parent_account_id"] = parent
    registrar.book.parents[crm_key(member)] = crm_key(parent)


def _break_links(registrar: Registrar, drawn: list[str]) -> None:
    book = registrar.book
    ring = [drawn.pop() for _ in range(3)]
    for member, parent in zip(ring, ring[1:] + ring[:1], strict=True):
        _set_parent(book.accounts[member], member, parent, registrar)
    # one cut opens a ring: the smallest key becomes its head, and the others stay its group
    head = min(crm_key(member) for member in ring)
    del book.parents[head]
    book.cut_parents[head] = "cycle"
    own, orphan = drawn.pop(), drawn.pop()
    book.accounts[own]["parent_account_id"] = own
    book.cut_parents[crm_key(own)] = "self_parent"
    book.accounts[orphan]["parent_account_id"] = "A99999"
    book.cut_parents[crm_key(orphan)] = "orphan_parent"


def _tie_in_erp(registrar: Registrar) -> None:
    """Give ERP-only customers a parent that the ERP names: one of them is known to the CRM too."""
    book = registrar.book
    known = set(book.marks.values()) | {
        case.erp_customer_id for case in book.review + book.no_links
    }
    linked = {link.erp_customer_id: link.crm_account_id for link in book.links}
    alone = [c for c in book.customers if c not in linked and c not in known]
    for child, parent in zip(
        alone[1:8], alone[0:1] * 3 + alone[1:2] * 3 + alone[9:10], strict=True
    ):
        book.customers[child]["parent_customer_id"] = parent
        book.parents[erp_key(child)] = erp_key(parent)
    head = book.links[0]
    book.customers[alone[10]]["parent_customer_id"] = head.erp_customer_id
    book.parents[erp_key(alone[10])] = crm_key(head.crm_account_id)
