"""Identifying values and their normal forms: two spellings of one company become equal."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dagster_project.lib import identifiers
from dagster_project.lib.company_names import normalise_name
from dagster_project.lib.form_files import MADE_BY
from dagster_project.lib.identifiers import normalise_identifiers
from dagster_project.lib.normal_forms import (
    NormalForm,
    normalise_domain,
    normalise_host,
    normalise_postal_code,
    normalise_registration,
    normalise_vat,
    public_domains,
)


@pytest.mark.parametrize(
    ("raw", "country", "normal"),
    [
        ("FR 40 303 265 045", "", "FR40303265045"),
        ("40303265045", "FR", "FR40303265045"),
        ("fr40303265045", "BE", "FR40303265045"),
        ("53000004605", "MC", "FR53000004605"),
        ("DE136,695 976", "DE", "DE136695976"),
        ("EL094259216", "GR", "GR094259216"),
        ("094259216", "GR", "GR094259216"),
        ("GB 980 7806 84", "", "GB980780684"),
        ("XI980780684", "GB", "GB980780684"),
        ("CHE-107.787.577 IVA", "CH", "CHE107787577"),
        ("CHE-107.787.577", "", "CHE107787577"),
        ("107787577", "CH", "CHE107787577"),
        ("NO 995 525 828 MVA", "", "NO995525828"),
        ("995525828", "NO", "NO995525828"),
        ("U13585627", "AT", "ATU13585627"),
        ("B-58378431", "ES", "ESB58378431"),
        ("428759497", "BE", "BE0428759497"),
        ("NL4495445B01", "NL", "NL004495445B01"),
    ],
)
def test_vat_number_has_one_form(raw: str, country: str, normal: str) -> None:
    assert normalise_vat(raw, country) == (normal, None)


@pytest.mark.parametrize(
    ("raw", "country", "problem"),
    [
        ("FR40303265046", "FR", "invalid"),
        ("40303265045", "", "invalid"),
        ("FR00000000000", "FR", "placeholder"),
        ("N/A", "FR", "placeholder"),
        ("12-3456789", "US", "not_checkable"),
    ],
)
def test_vat_number_that_identifies_nobody(raw: str, country: str, problem: str) -> None:
    assert normalise_vat(raw, country) == (None, problem)


@pytest.mark.parametrize(
    ("raw", "country", "normal"),
    [
        ("732 829 320", "FR", "FR732829320"),
        ("732 829 320 00074", "FR", "FR732829320"),
        ("0428.759.497", "BE", "BE0428759497"),
        ("995 525 828", "NO", "NO995525828"),
        ("CHE-107.787.577", "CH", "CHE107787577"),
        ("sc123456", "GB", "GBSC123456"),
        ("00445790", "GB", "GB00445790"),
        ("HRB 12345", "DE", "DEHRB12345"),
        ("15-048-3782", "US", "US150483782"),
        ("DUNS 15-048-3782", "US", "US150483782"),
        ("150483782", "FR", "FR150483782"),
        ("732829320", "", "732829320"),
    ],
)
def test_registration_number_has_one_form(raw: str, country: str, normal: str) -> None:
    assert normalise_registration(raw, country) == (normal, None)


@pytest.mark.parametrize(
    ("raw", "country", "problem"),
    [
        ("73282932000079", "FR", "invalid"),
        ("12345", "FR", "invalid"),
        ("none", "GB", "placeholder"),
        ("000000000", "US", "placeholder"),
    ],
)
def test_registration_number_that_identifies_nobody(raw: str, country: str, problem: str) -> None:
    assert normalise_registration(raw, country) == (None, problem)


@pytest.mark.parametrize(
    ("raw", "normal"),
    [
        ("https://www.Acme.co.uk/path?q=a@b.com", "acme.co.uk"),
        ("acme.com", "acme.com"),
        ("//acme.com", "acme.com"),
        ("Jean.Dupont@mail.acme.fr", "acme.fr"),
        ("@acme.com", "acme.com"),
        ("http://shop.acme.de:8080", "acme.de"),
        ("https://acme.com/@us", "acme.com"),
        ("WWW.MÜLLER.DE", "xn--mller-kva.de"),
        ("xn--mller-kva.de", "xn--mller-kva.de"),
        ("shop1.myshopify.com", "shop1.myshopify.com"),
        ("acme.fr.", "acme.fr"),
        ("a.com; b.com", "a.com"),
    ],
)
def test_domain_is_the_registered_one(raw: str, normal: str) -> None:
    assert normalise_domain(raw) == (normal, None)


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ("gmail.com", "public_domain"),
        ("jean@Orange.fr", "public_domain"),
        ("smtp.wanadoo.fr", "public_domain"),
        ("https://www.linkedin.com/company/acme", "public_domain"),
        ("https://fr-fr.facebook.com/acme", "public_domain"),
        ("localhost", "invalid"),
        ("192.168.0.1", "invalid"),
        ("acme", "invalid"),
        ("münchen..de", "invalid"),
        ("http://", "invalid"),
    ],
)
def test_domain_that_identifies_nobody(raw: str, problem: str) -> None:
    assert normalise_domain(raw) == (None, problem)


@pytest.mark.parametrize(
    ("raw", "host"),
    [
        ("Société-Dupont.fr", "xn--socit-dupont-eebb.fr"),
        ("xn--socit-dupont-eebb.fr", "xn--socit-dupont-eebb.fr"),
        ("https://www.eu.mail.corp.example.com/x", "eu.mail.corp.example.com"),
        ("example.com.", "example.com"),
        ("dupont.free.fr", "dupont.free.fr"),
        ("free.fr", "free.fr"),
        ("myshopify.com", "myshopify.com"),
        ("société.fr>;", "xn--socit-esab.fr"),
        ("<jean@x.fr>", "x.fr"),
        ("example", None),
        ("co.uk", None),
        ("münchen..de", None),
        ("", None),
    ],
)
def test_host_is_whole(raw: str, host: str | None) -> None:
    assert normalise_host(raw).value == host


def test_hosts_of_people_and_suppressions_stand_beside_the_identifiers(tmp_path: Path) -> None:
    """Of addresses those that are not ASCII; the file may hold what is somebody's, so it is the user's alone."""
    contacts = parquet(
        tmp_path / "contacts.parquet",
        "select unnest(['a@x.fr', '<b@société.fr>', 'c@é.fr', null, 'é']) as email",
    )
    suppressions = parquet(
        tmp_path / "suppressions.parquet",
        "select unnest(['d@é.fr', null]) as email, unnest([null, 'www.Mail.acme.fr']) as domain",
    )
    target = tmp_path / "identifiers.parquet"
    normalise_identifiers(
        tmp_path, [], [], target, contacts_files=[contacts], suppressions_files=[suppressions]
    )
    rows = duckdb.sql(
        f"select kind, raw_value, country_code, normalised from '{target}'"
    ).fetchall()
    assert rows == [
        ("domain", "www.Mail.acme.fr", "", "acme.fr"),
        ("host", "société.fr>", "", "xn--socit-esab.fr"),
        ("host", "www.Mail.acme.fr", "", "mail.acme.fr"),
        ("host", "é.fr", "", "xn--9ca.fr"),
    ]
    assert target.stat().st_mode & 0o777 == 0o600


def test_public_domains_are_many_and_well_formed() -> None:
    domains = public_domains()
    assert len(domains) >= 150
    assert {"gmail.com", "orange.fr", "gmx.de", "libero.it", "btinternet.com"} <= domains
    assert all(domain == domain.lower().strip() and "." in domain for domain in domains)


@pytest.mark.parametrize(
    ("raw", "normal"),
    [
        ("SARL Dupont & Fils", "dupont and fils"),
        ("Dupont et fils S.A.R.L.", "dupont and fils"),
        ("DUPONT  ET FILS", "dupont and fils"),
        ("Dupont & Cie", "dupont"),
        ("Müller GmbH & Co. KG", "muller"),
        ("Straße AG", "strasse"),
        ("Œuvre Sørensen A/S", "oeuvre sorensen"),
        ("Łódź Sp. z o.o.", "lodz"),
        ("L'Oréal S A", "l oreal"),
        ("Next-Door Bike Store", "next door bike store"),
        ("Acme Co., Ltd", "acme"),
        ("Acme UK Ltd", "acme uk"),
        ("U.S. Steel Corp.", "us steel"),
        ("Amazon.com, Inc.", "amazon com"),
        ("H&M", "h and m"),
        ("株式会社トヨタ", "株式会社トヨタ"),
        ("NA", "na"),
        ("Limited", "limited"),
        ("...", None),
        ("&", None),
    ],
)
def test_name_without_accents_and_legal_form(raw: str, normal: str | None) -> None:
    assert normalise_name(raw) == normal


@pytest.mark.parametrize(
    ("raw", "country", "normal", "problem"),
    [
        ("01000", "FR", "01000", None),
        ("F-75001", "FR", "75001", None),
        ("sw1a 1aa", "GB", "SW1A1AA", None),
        ("98104-1234", "US", "98104", None),
        ("-", "FR", None, "invalid"),
        ("00000", "FR", None, "placeholder"),
    ],
)
def test_postal_code_keeps_its_zeros(
    raw: str, country: str, normal: str | None, problem: str | None
) -> None:
    assert normalise_postal_code(raw, country) == (normal, problem)


def parquet(path: Path, select: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    duckdb.sql(f"copy ({select}) to '{path}' (format parquet)")
    return path


@pytest.fixture
def accounts(tmp_path: Path) -> Path:
    rows = """
        ('FR40303265045', '732829320', 'www.acme.fr', null, 'Acme SAS', '01000', 'FR'),
        ('FR40303265045', '732829320', 'acme.fr', 'gmail.com', 'Acme', '01000', null),
        (null, null, null, null, '...', null, null)
    """
    return parquet(
        tmp_path / "raw/accounts/a.parquet",
        f"select * from (values {rows}) t(vat_number, registration_number, website, "
        "email_domain, account_name, postal_code, country_code)",
    )


@pytest.fixture
def customers(tmp_path: Path) -> Path:
    return parquet(
        tmp_path / "raw/customers/c.parquet",
        "select 'FR40303265045' as vat_number, null::varchar as registration_number, "
        "'acme.fr' as email_domain, 'ACME' as customer_name, '01000' as postal_code, "
        "'FR' as country_code",
    )


def test_file_has_one_row_per_kind_value_and_country(
    tmp_path: Path, accounts: Path, customers: Path
) -> None:
    raw, target = tmp_path / "raw", tmp_path / "raw/identifiers.parquet"
    counts = normalise_identifiers(raw, [accounts], [customers.relative_to(raw)], target)
    rows = duckdb.sql(f"select * from '{target}' order by all").fetchall()
    assert [row[:5] for row in rows if row[0] == "vat_number"] == [
        ("vat_number", "FR40303265045", "", "FR40303265045", True),
        ("vat_number", "FR40303265045", "FR", "FR40303265045", True),
    ]
    assert ("domain", "gmail.com", "", None, False, "public_domain") in rows
    assert ("domain", "www.acme.fr", "FR", "acme.fr", True, None) in rows
    assert ("name", "...", "", None, False, "invalid") in rows
    assert ("postal_code", "01000", "FR", "01000", True, None) in rows
    assert len({row[:3] for row in rows}) == len(rows) == 14
    assert counts["domain"] == 4
    assert counts["domain_unusable"] == 1
    assert all((row[3] is None) == (row[5] is not None) == (not row[4]) for row in rows)
    assert [path.name for path in raw.iterdir() if path.is_file()] == ["identifiers.parquet"]


def test_file_is_the_same_from_run_to_run(tmp_path: Path, accounts: Path, customers: Path) -> None:
    targets = [tmp_path / "1.parquet", tmp_path / "2.parquet"]
    for target in targets:
        normalise_identifiers(tmp_path, [accounts], [customers], target)
    assert targets[0].read_bytes() == targets[1].read_bytes()


def test_known_values_are_not_normalised_again(
    tmp_path: Path, accounts: Path, customers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw, target = tmp_path / "raw", tmp_path / "identifiers.parquet"
    whole = normalise_identifiers(raw, [accounts], [customers], tmp_path / "whole.parquet")
    part = normalise_identifiers(raw, [], [customers], target)
    known = duckdb.sql(f"select kind, raw_value, country_code from '{target}'").fetchall()
    asked: list[tuple[str, str, str]] = []

    def counted(kind: str) -> Callable[[str, str], NormalForm]:
        normalise = identifiers.NORMALISERS[kind]

        def form(value: str, country: str) -> NormalForm:
            asked.append((kind, value, country))
            return normalise(value, country)

        return form

    kinds = {kind: counted(kind) for kind in identifiers.NORMALISERS}
    monkeypatch.setattr(identifiers, "NORMALISERS", kinds)
    assert normalise_identifiers(raw, [accounts], [customers], target) == whole
    assert asked
    assert not set(asked) & set(known)
    assert target.read_bytes() == (tmp_path / "whole.parquet").read_bytes()

    asked.clear()
    written = target.stat().st_mtime_ns
    assert normalise_identifiers(raw, [accounts], [customers], target) == whole
    assert (asked, target.stat().st_mtime_ns) == ([], written)

    # a value that is gone goes
    assert normalise_identifiers(raw, [], [customers], target) == part
    assert duckdb.sql(f"select count(*) from '{target}'").fetchall() == [(len(known),)]


def test_forms_of_other_code_and_damaged_files_are_made_again(
    tmp_path: Path, accounts: Path, customers: Path
) -> None:
    target = tmp_path / "identifiers.parquet"
    normalise_identifiers(tmp_path, [accounts], [customers], target)
    right = target.read_bytes()
    table = pq.read_table(target)
    wrong = table.set_column(3, "normalised", pa.array(["wrong"] * len(table)))
    pq.write_table(wrong.replace_schema_metadata({MADE_BY: b"older code"}), target)
    normalise_identifiers(tmp_path, [accounts], [customers], target)
    assert target.read_bytes() == right
    target.write_bytes(right[:100])
    normalise_identifiers(tmp_path, [accounts], [customers], target)
    assert target.read_bytes() == right


def test_no_files_give_an_empty_file_with_its_columns(tmp_path: Path) -> None:
    target = tmp_path / "new" / "identifiers.parquet"
    assert normalise_identifiers(tmp_path, [], [], target) == {}
    columns = duckdb.sql(f"describe from '{target}'").fetchall()
    assert [column[:2] for column in columns] == [
        ("kind", "VARCHAR"),
        ("raw_value", "VARCHAR"),
        ("country_code", "VARCHAR"),
        ("normalised", "VARCHAR"),
        ("is_valid", "BOOLEAN"),
        ("problem", "VARCHAR"),
    ]
