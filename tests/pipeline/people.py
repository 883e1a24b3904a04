"""People of the golden company, planted wherever an extract may carry one, and a search for them in every byte."""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from dagster_project.lib.release.content import content_sha256
from tests.pipeline.pipeline_runs import Refreshed

ANNA = "anna.smith@alder.example"
ANNA_BEFORE = "anna.jones@alder.example"
BOB = "bob@birch.example"
CARL = "carl@cedar-timber.example"
DORA = "dora@mail.cedar-timber.example"
ADA = "ada@example.com"
# A mart by part has another hash, see `lib/release/content.py`.
IN_PARTS = {"account_monthly", "account_tier_history", "published_tiers"}
CONTACTS = (
    "contact_id,account_id,first_name,last_name,email,phone,consent_email,consent_ads,updated_at"
)


def plant(landing: Path) -> None:
    """Contacts in two deliveries, a line that cannot be read, a suppression, a user, a note beside an account."""
    crm = landing / "crm"
    (crm / "contacts_1.csv").write_text(
        f"{CONTACTS}\n"
        f"P1,1,Annabel,Smythson,{ANNA_BEFORE},+33 6 12 34 56 78,true,true,2025-01-01T00:00:00Z\n"
        f"P2,2,Bob,Builder,{BOB},,true,true,2025-01-01T00:00:00Z\n"
        f"P3,3,Carl,Carlsson,{CARL},,true,true,2025-01-01T00:00:00Z\n"
        f"P4,3,Dora,Dorfman,{DORA},,true,true,2025-01-01T00:00:00Z\n"
        f"P9,1,Annabel,Smythson,{ANNA_BEFORE},,true\n",
        encoding="utf-8",
    )
    (crm / "contacts_2.csv").write_text(
        f"{CONTACTS}\nP1,1,Annabel,Smythson, Anna.Smith@ALDER.example ,,true,true,2025-06-01T00:00:00Z\n",
        encoding="utf-8",
    )
    accounts = (crm / "accounts.csv").read_text(encoding="utf-8").splitlines()
    noted = [f"{accounts[0]},note", *(f"{line}," for line in accounts[1:])]
    noted[2] += f"ask {ANNA} first"
    (crm / "accounts.csv").write_text("\n".join(noted) + "\n", encoding="utf-8")
    (landing / "governance" / "suppressions.csv").write_text(
        f"email,email_sha256,domain,account_id,reason,since\n{BOB},,,,asked us to,2025-01-01\n",
        encoding="utf-8",
    )


def deliver_again(landing: Path) -> None:
    """A later delivery of the same person: under the id, and under another id and spelling."""
    (landing / "crm" / "contacts_3.csv").write_text(
        f"{CONTACTS}\n"
        "P1,1,Annabel,Smythson,new.address@alder.example,,true,true,2025-09-01T00:00:00Z\n"
        f"P7,1,Annabel,Smythson,{ANNA.upper()},,true,true,2025-09-01T00:00:00Z\n"
        f"P8,2,Eve,Evans,eve@birch.example,,true,true,2025-09-01T00:00:00Z\n",
        encoding="utf-8",
    )


def needles(address: str) -> set[bytes]:
    """An address, its digests and its base64 forms, in lower case."""
    plain = address.lower().encode()
    kinds = (hashlib.sha256, hashlib.sha1, hashlib.md5)
    digests = {kind(plain).hexdigest().encode() for kind in kinds}
    raw = {base64.b64encode(kind(plain).digest()).lower() for kind in kinds}
    return {plain, base64.b64encode(plain).rstrip(b"=").lower(), *digests, *raw}


def places_of(folder: Path, sought: Iterable[bytes], *, but: Iterable[Path] = ()) -> list[str]:
    """Files that hold one of these in their bytes, or in what a reader of their format sees; letter case aside."""
    wanted = [one.lower() for one in sought]
    left_out = tuple(but)
    return [
        str(path.relative_to(folder))
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and not path.is_symlink()
        and not any(path.is_relative_to(other) for other in left_out)
        and any(one in text for text in _texts(path) for one in wanted)
    ]


def _texts(path: Path) -> Iterator[bytes]:
    raw = path.read_bytes()
    yield raw.lower()
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        yield repr(table.to_pydict()).lower().encode()
    elif path.suffix == ".duckdb":
        with duckdb.connect(str(path), read_only=True) as connection:
            for (name,) in connection.execute(
                "select table_schema || '.' || table_name from information_schema.tables "
                "where table_type = 'BASE TABLE'"
            ).fetchall():
                yield repr(connection.execute(f"from {name}").fetchall()).lower().encode()
    elif raw.startswith(b"SQLite format 3"):
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
            yield "\n".join(database.iterdump()).lower().encode()


def is_whole(company: Refreshed) -> bool:
    """Whether the live release says of itself what is in it, in both of its forms."""
    live = company.live
    with duckdb.connect(str(live.database), read_only=True) as database:
        for mart in live.manifest.marts:
            path = live.mart(mart.name)
            with duckdb.connect(config={"preserve_insertion_order": True}) as reader:
                rows, sha256 = content_sha256(reader, path)
                other = reader.execute(f"select * from '{path}' order by all").fetchall()
            assert rows == mart.rows, mart.name
            assert sha256 == mart.sha256 or mart.name in IN_PARTS, mart.name
            own = database.execute(f"select * from {mart.name} order by all").fetchall()
            assert own == other, mart.name
    said = json.loads((live.audiences / "manifest.json").read_bytes())
    for entry in said["files"]:
        if entry["file"]:
            raw = (live.audiences / entry["file"]).read_bytes()
            assert hashlib.sha256(raw).hexdigest() == entry["sha256"], entry["file"]
            with (live.audiences / entry["file"]).open(encoding="utf-8", newline="") as stream:
                rows = list(csv.reader(stream))
            leading = 3 if entry["destination"] == "microsoft_ads" and entry["rows"] else 1
            assert len(rows) == entry["rows"] + leading, entry["file"]
    database_of_readers = company.out / "published" / "marts.duckdb"
    return database_of_readers.read_bytes() == live.database.read_bytes()
