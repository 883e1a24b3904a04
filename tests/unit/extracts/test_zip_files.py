"""Zip archives: which members there are, and what is refused."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import pytest

from dagster_project.lib.extracts import gzip_files, zip_files
from dagster_project.lib.extracts.errors import ExtractError
from dagster_project.lib.extracts.zip_files import Member, members, unpack_member


def packed(folder: Path, contents: dict[str, str]) -> Path:
    path = folder / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in contents.items():
            archive.writestr(name, text)
    return path


def test_members_are_listed_and_unpacked(tmp_path: Path) -> None:
    path = packed(tmp_path, {
        "export/accounts.csv": "a,b\n1,2\n", "Factures é.csv": "x", "dir/": "",
        "__MACOSX/export/._accounts.csv": "x", ".DS_Store": "x", "export/.hidden/a.csv": "x",
        "book.xlsx": "y",
    })  # fmt: skip
    found = members(path, file="crm/x.zip")
    assert found == [
        Member("export/accounts.csv", 8), Member("Factures é.csv", 1), Member("book.xlsx", 1)
    ]  # fmt: skip
    unpack_member(path, "export/accounts.csv", tmp_path / "content", file="crm/x.zip")
    assert (tmp_path / "content").read_bytes() == b"a,b\n1,2\n"


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("../a.csv", ["the member ../a.csv leaves the archive", "Pack the files again"]),
        ("a/../../b.csv", ["leaves the archive"]),
        ("..\\a.csv", ["leaves the archive"]),
        ("/etc/a.csv", ["leaves the archive"]),
        ("C:\\a.csv", ["leaves the archive"]),
        ("inner.ZIP", ["is an archive inside the archive", "Deliver the inner archive by itself"]),
        ("accounts.csv.gz", ["is an archive inside the archive"]),
    ],
)
def test_names_that_are_no_plain_file_are_refused(
    tmp_path: Path, name: str, texts: list[str]
) -> None:
    with pytest.raises(ExtractError) as caught:
        members(packed(tmp_path, {"ok.csv": "x", name: "x"}), file="crm/x.zip")
    assert str(caught.value).startswith("crm/x.zip: ")
    for text in texts:
        assert text in str(caught.value)


def test_links_passwords_and_doubles_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    link = zipfile.ZipInfo("accounts.csv")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(ExtractError, match=r"the member accounts\.csv is a link"):
        members(path, file="x.zip")
    content = bytearray(packed(tmp_path, {"accounts.csv": "x"}).read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(ExtractError, match=r"is encrypted\nDeliver the archive without a password"):
        members(path, file="x.zip")
    with zipfile.ZipFile(path, "w") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("a.csv", "x")
        archive.writestr("a.csv", "y")
    with pytest.raises(ExtractError, match=r"holds a.csv more than once"):
        members(path, file="x.zip")


def test_bombs_are_refused_by_what_they_say_and_by_what_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gzip_files, "RATIO_APPLIES_FROM_BYTES", 100_000)
    path = packed(tmp_path, {"a.csv": "1\n" * 1_000_000})
    with pytest.raises(ExtractError, match="200 times the packed one: a decompression bomb"):
        members(path, file="x.zip")
    with pytest.raises(ExtractError, match="a decompression bomb"):
        unpack_member(path, "a.csv", tmp_path / "content", file="x.zip")
    assert (tmp_path / "content").stat().st_size < 2_000_000
    monkeypatch.setattr(zip_files, "MAX_ARCHIVE_MEMBERS", 2)
    with pytest.raises(ExtractError, match="has 3 members, the limit is 2"):
        members(packed(tmp_path, {name: "x" for name in "abc"}), file="x.zip")


def test_damaged_and_empty_archives_are_refused(tmp_path: Path) -> None:
    path = packed(tmp_path, {"a.csv": "code\n" + "0123456789" * 500})
    content = path.read_bytes()
    path.write_bytes(content[:100])
    with pytest.raises(ExtractError, match=r"the zip archive is damaged or cut short \(BadZipFile"):
        members(path, file="x.zip")
    broken = bytearray(content)
    broken[45] ^= 0xFF
    path.write_bytes(broken)
    assert [member.name for member in members(path, file="x.zip")] == ["a.csv"]
    with pytest.raises(ExtractError, match=r"the member a.csv is damaged or cut short"):
        unpack_member(path, "a.csv", tmp_path / "content", file="x.zip")
    with pytest.raises(ExtractError, match="the archive holds no file"):
        members(packed(tmp_path, {"dir/": ""}), file="x.zip")


def test_a_method_that_is_not_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("a.csv", "code\n" * 100)
    with pytest.raises(ExtractError, match=r"a\.csv is packed by a method that is not read here"):
        unpack_member(path, "a.csv", tmp_path / "content", file="x.zip")
