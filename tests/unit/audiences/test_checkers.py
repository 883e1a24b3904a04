"""Each checker passes a good file of its destination and names what is wrong with a bad one."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tests.checkers import folder

H1, H2, H3, H4 = (hashlib.sha256(str(number).encode()).hexdigest() for number in range(4))
NOTHING = hashlib.sha256(b"").hexdigest()
LINKEDIN = (
    "companyname,companywebsite,companyemaildomain,linkedincompanypageurl,stocksymbol,industry,"
    "city,state,companycountry,zipcode\r\n"
)
PEOPLE = "email,firstname,lastname,jobtitle,employeecompany,country,googleaid\r\n"
GOOGLE = "Email,Phone,First Name,Last Name,Country,Zip\r\n"
META = "email,phone,fn,ln,ct,st,zip,country,value\r\n"
BULK = "Type,Status,Id,Parent Id,Name,Audience,Action Type,Sub Type,Text\r\n"
BULK_HEAD = BULK + "Format Version,,,,6.0,,,,\r\nCustomer List,Active,1,,,A,Add,,\r\n"
SALESFORCE = "Account_Key__c,Final_Tier__c,Tier_Revenue__c,Tier_As_Of__c\n"
HUBSPOT = "Company domain name,Final Tier,Tier Revenue\r\n"
DEMANDBASE = "Account Name,Account Domain,External Account ID,Industry\r\n"
GENERIC = "account_key,account_name,final_tier,country_code\r\n"

GOOD = {
    "generic": GENERIC + 'k1,"Müller, Söhne",A,DE\r\nk2,Beta,B,\r\n',
    "linkedin_companies": LINKEDIN
    + "Alpha,alpha.com,alpha.com,https://www.linkedin.com/company/alpha/,,,Paris,,FR,75001\r\n",
    "linkedin_contacts": PEOPLE + "a@b.fr,,,,,FR,\r\n,Anne,Martin,Buyer,Alpha,,\r\n",
    "google_customer_match": GOOGLE + f"{H1},,,,,\r\n,{H2},{H3},{H4},FR,75001\r\n",
    "meta_custom_audience": META + f"{H1},{H2},,,,,{H3},{H4},12.5\r\n,,{H1},{H2},,,,,0\r\n",
    "microsoft_ads": BULK_HEAD + f"Customer List Item,,,1,,,,Email,{H1}\r\n",
    "salesforce": SALESFORCE
    + "crm:accounts:1,A,10.0000,2026-01-01\ncrm:accounts:2,#N/A,#N/A,#N/A\n",
    "hubspot": HUBSPOT + "alpha.com,A,10.0000\r\nbeta.co.uk,none,0\r\n",
    "6sense": "Account Name,Country,Domain\r\nAlpha,FR,alpha.com\r\nAlpha,DE,alpha.com\r\n",
    "demandbase": DEMANDBASE + "Alpha,alpha.com,1,\r\nBeta,beta.com,2,Steel\r\n",
}
BAD = [
    (
        "generic",
        GENERIC + "k1,Alpha,A,FR\r\nk1,Beta,A,FR\r\n",
        "account_key: 1 values more than once",
    ),
    ("generic", GENERIC + "k1,,A,FR\r\n", "account_name: 1 empty cells"),
    ("generic", GENERIC + "k1,Alpha,A,France\r\n", "country_code: 1 cells of another form"),
    ("generic", GENERIC + "k1,Alpha,A\r\n", "line 2 has 3 cells"),
    ("generic", GENERIC + 'k1,"Alpha" SA,A,FR\r\n', "is not CSV"),
    ("generic", GENERIC + "k1,Alpha,A,FR\n", "line end"),
    ("linkedin_companies", LINKEDIN.replace("companyname", "name"), "header is name,"),
    (
        "linkedin_companies",
        LINKEDIN + "Alpha,https://www.alpha.com,,,,,,,FR,\r\n",
        "companywebsite: 1 cells",
    ),
    (
        "linkedin_companies",
        LINKEDIN + "Alpha,,,https://linkedin.com/in/anne,,,,,,\r\n",
        "not a company's",
    ),
    ("linkedin_companies", LINKEDIN + 2 * "Alpha,,,,,,,,,\r\n", "1 rows stand there before"),
    ("linkedin_companies", LINKEDIN + ",,alpha.com,,,,,,,\r\n", "neither name nor website"),
    ("linkedin_contacts", PEOPLE + ",Anne,,,,FR,\r\n", "neither e-mail nor both names"),
    ("linkedin_contacts", PEOPLE + f"a@b.fr,{'A' * 36},,,,FR,\r\n", "more than 35 characters"),
    ("linkedin_contacts", PEOPLE + f"{H1},,,,,FR,\r\n", "email: 1 cells of another form"),
    ("google_customer_match", GOOGLE + "a@b.fr,,,,,\r\n", "Email: 1 cells of another form"),
    ("google_customer_match", GOOGLE + f"{H1.upper()},,,,,\r\n", "Email: 1 cells of another"),
    ("google_customer_match", GOOGLE + f"{NOTHING},,,,,\r\n", "hash of an empty text"),
    (
        "google_customer_match",
        GOOGLE + f"{H1},,{H2},{H3},FR,\r\n",
        "part of the address is missing",
    ),
    ("google_customer_match", GOOGLE + f"{H1},,{H2},{H3},{H4},75\r\n", "Country: 1 cells"),
    ("google_customer_match", GOOGLE + f"{H1},,{H2},{H3},FR,{H4}\r\n", "Zip: hashed"),
    ("google_customer_match", GOOGLE + ",,,,,\r\n", "nothing to match by"),
    ("meta_custom_audience", META + f"{H1},+33612345678,,,,,,,1\r\n", "phone: 1 cells"),
    ("meta_custom_audience", META + f"{H1},,,,,,,fr,1\r\n", "country: 1 cells"),
    ("meta_custom_audience", META + f"{H1},,,,,,,,-0.01\r\n", "value: 1 cells"),
    ("meta_custom_audience", META + f",,{H1},,,,,,1\r\n", "neither e-mail nor phone"),
    ("microsoft_ads", BULK + f"Customer List Item,,,1,,,,Email,{H1}\r\n", "Format Version 6.0"),
    (
        "microsoft_ads",
        BULK_HEAD.replace(",A,Add", ",A,Replace") + f"Customer List Item,,,1,,,,Email,{H1}\r\n",
        "a add file says Replace",
    ),
    ("microsoft_ads", BULK_HEAD + "Customer List Item,,,1,,,,Email,a@b.fr\r\n", "Text: 1 cells"),
    ("microsoft_ads", BULK_HEAD + f"Customer List Item,,,-2,,,,Email,{H1}\r\n", "names no list"),
    ("microsoft_ads", BULK_HEAD + f"Customer List Item,,,1,,,,Phone,{H1}\r\n", "type Phone"),
    (
        "microsoft_ads",
        BULK_HEAD.replace("Active,1", "Active,") + f"Customer List Item,,,,,A,,Email,{H1}\r\n",
        "the list has no Id",
    ),
    (
        "microsoft_ads",
        BULK_HEAD.replace("Active,1", "Active,-10") + f"Customer List Item,,,-10,,,,Email,{H1}\r\n",
        "a new list cannot be changed by Add",
    ),
    (
        "microsoft_ads",
        BULK_HEAD + 2 * f"Customer List Item,,,1,,,,Email,{H1}\r\n",
        "Text: 1 values more than once",
    ),
    ("microsoft_ads", BULK.replace(",Text", ""), "columns missing: Text"),
    ("salesforce", SALESFORCE + "k1,,1,2026-01-01\n", "Final_Tier__c: 1 empty cells"),
    ("salesforce", SALESFORCE + "k1,A,1,2026-01-01\nK1,B,1,2026-01-01\n", "more than once"),
    ("salesforce", SALESFORCE + "#N/A,A,1,2026-01-01\n", "an External ID is cleared"),
    ("salesforce", "\ufeff" + SALESFORCE, "byte-order mark"),
    ("salesforce", SALESFORCE.replace("\n", "\r\n"), "CR LF"),
    ("salesforce", SALESFORCE + 'k1,A,"1,5",01/02/2026\n', "Tier_As_Of__c: 1 cells"),
    ("salesforce", SALESFORCE.replace("Final_Tier__c", "Final Tier"), "Final Tier: no API name"),
    ("salesforce", "Name,Final_Tier__c\n", "no External ID"),
    ("hubspot", HUBSPOT + "alpha.com,,1\r\n", "Final Tier: 1 empty cells"),
    ("hubspot", HUBSPOT + "www.alpha.com,A,1\r\n", "Company domain name: 1 cells"),
    ("hubspot", HUBSPOT + "alpha.com,A,1\r\nALPHA.com,A,1\r\n", "more than once"),
    ("hubspot", HUBSPOT + "alpha.com,#N/A,1\r\n", "takes for a text"),
    ("hubspot", HUBSPOT + "alpha.com,A,unknown\r\n", "Tier Revenue: 1 cells"),
    ("6sense", "Account Name,Domain,Country\r\n", "header is"),
    ("6sense", "Account Name,Country,Domain\r\nAlpha,,alpha.com\r\n", "Country: 1 empty cells"),
    ("6sense", "Account Name,Country,Domain\r\n" + 2 * "A,FR,a.com\r\n", "stand there before"),
    ("6sense", "Account Name,Country,Domain\r\n" + "A,FR,a.com\r\n" * 25_001, "more than 25000"),
    ("demandbase", DEMANDBASE + "A,a.com,1,\r\nB,a.com,2,\r\n", "Account Domain: 1 values"),
    ("demandbase", DEMANDBASE + "A,a.com,1,\r\nB,b.com,1,\r\n", "External Account ID: 1 values"),
    ("demandbase", DEMANDBASE + "A,,1,\r\n", "Account Domain: 1 empty cells"),
    ("demandbase", "Account Domain,Account Name\r\n", "header begins with"),
]
TOO_SHORT = {
    "linkedin_companies": 300,
    "linkedin_contacts": 300,
    "meta_custom_audience": 100,
    "microsoft_ads": 300,
}


def problems(tmp_path: Path, name: str, text: str, kind: str, file: str = "A.csv") -> list[str]:
    path = tmp_path / file
    path.write_bytes(text.encode())
    return folder.CHECKERS[name](path, kind)


@pytest.mark.parametrize("name", list(folder.CHECKERS))
def test_a_good_file_passes(tmp_path: Path, name: str) -> None:
    kind = "upsert" if name in ("salesforce", "hubspot") else "add"
    assert problems(tmp_path, name, GOOD[name], kind) == []


@pytest.mark.parametrize(("name", "text", "problem"), BAD)
def test_a_bad_file_is_named(tmp_path: Path, name: str, text: str, problem: str) -> None:
    assert problem in "\n".join(problems(tmp_path, name, text, "add"))


@pytest.mark.parametrize("name", list(folder.CHECKERS))
def test_every_checker_wants_utf_8(tmp_path: Path, name: str) -> None:
    (tmp_path / "A.csv").write_bytes("é".encode("latin-1") + GOOD[name].encode())
    assert "is not UTF-8" in "\n".join(folder.CHECKERS[name](tmp_path / "A.csv", "add"))


@pytest.mark.parametrize(("name", "minimum"), TOO_SHORT.items())
def test_a_list_that_is_too_short_to_be_used_is_named(
    tmp_path: Path, name: str, minimum: int
) -> None:
    found = problems(tmp_path, name, GOOD[name].replace(",Add,", ",Replace,"), "full")
    assert len(found) == 1
    assert f"fewer than {minimum}" in found[0]


def test_a_blank_in_the_file_name_is_named(tmp_path: Path) -> None:
    found = problems(tmp_path, "6sense", GOOD["6sense"], "full", file="win back.csv")
    assert found == ["a blank in the file's name"]


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A folder of one good file and its manifest."""
    content = GOOD["generic"].encode()
    (tmp_path / "generic").mkdir()
    (tmp_path / "generic" / "A.csv").write_bytes(content)
    entry = {
        "file": "generic/A.csv",
        "destination": "generic",
        "audience": "A",
        "kind": "full",
        "status": "written",
        "rows": 2,
        "minimum_rows": 0,
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    (tmp_path / "manifest.json").write_text(json.dumps({"files": [entry]}))
    for path in tmp_path.rglob("*.*"):
        path.chmod(0o600)
    return tmp_path


def changed_entry(written: Path, **values: object) -> None:
    manifest = json.loads((written / "manifest.json").read_text())
    manifest["files"][0] |= values
    (written / "manifest.json").write_text(json.dumps(manifest))


def test_a_good_folder_passes(written: Path) -> None:
    assert folder.check(written) == []


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"rows": 3}, "2 rows, the manifest says 3"),
        ({"sha256": H1}, "content is not what the manifest says"),
        ({"minimum_rows": 300}, "2 rows of 300"),
        ({"file": "generic/B.csv"}, "generic/A.csv: not in the manifest"),
        ({"file": "generic/B.csv"}, "generic/B.csv: listed, not there"),
    ],
)
def test_a_manifest_that_is_wrong_is_named(
    written: Path, values: dict[str, object], problem: str
) -> None:
    changed_entry(written, **values)
    assert problem in "\n".join(folder.check(written))


def test_a_file_that_others_may_read_is_named(written: Path) -> None:
    (written / "generic" / "A.csv").chmod(0o644)
    assert folder.check(written) == ["generic/A.csv: others may read it"]
