"""The members of a zip archive, and their unpacking under limits."""

from __future__ import annotations

import stat
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from dagster_project.lib.extracts.errors import ExtractError
from dagster_project.lib.extracts.gzip_files import refuse_bomb
from dagster_project.lib.extracts.limits import CHUNK_BYTES, MAX_ARCHIVE_MEMBERS

_ARCHIVES = (".zip", ".gz", ".7z", ".bz2", ".zst", ".tar", ".tgz", ".rar", ".xz")
# The others come from no exporting system, and fail in ways of their own.
READ_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1


@dataclass(frozen=True)
class Member:
    """One file of an archive: its name inside, with folders, and its unpacked size."""

    name: str
    size: int


def members(path: Path, *, file: str) -> list[Member]:
    """The files of the archive in its own order; folders, hidden files and __MACOSX/ are left out.

    Raises:
        ExtractError: no archive or a damaged one, or one that holds a password, a link, an archive,
            a name that leaves the archive or stands twice, or more than the limits allow.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
    except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError) as error:
        raise _damaged(file, error) from error
    if len(infos) > MAX_ARCHIVE_MEMBERS:
        raise ExtractError(
            file,
            f"the archive has {len(infos)} members, the limit is {MAX_ARCHIVE_MEMBERS}",
            remedy="Deliver only the files of the export.",
        )
    found = [_checked(info, file) for info in infos if not _is_left_out(info)]
    refuse_bomb(sum(member.size for member in found), path.stat().st_size, file=file)
    names = [member.name for member in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ExtractError(
            file,
            f"the archive holds {twice[0]} more than once",
            remedy="Pack it again: which one counts cannot be guessed.",
        )
    if not found:
        raise ExtractError(
            file, "the archive holds no file", remedy="Pack the exported files again."
        )
    return found


def unpack_member(path: Path, name: str, target: Path, *, file: str) -> None:
    """Writes one member to `target`, and stops as soon as a limit is passed.

    Raises:
        ExtractError: the member is damaged, packed by an unknown method, or a decompression bomb.
    """
    written = 0
    try:
        with zipfile.ZipFile(path) as archive, target.open("wb") as out:
            info = _info(archive, name)
            if info.compress_type not in READ_METHODS:
                raise NotImplementedError
            with archive.open(info) as stream:
                while chunk := stream.read(CHUNK_BYTES):
                    written += len(chunk)
                    refuse_bomb(written, info.compress_size, file=file)
                    out.write(chunk)
    except NotImplementedError as error:
        raise ExtractError(
            file,
            f"{name} is packed by a method that is not read here",
            remedy="Pack it again as an ordinary zip archive (deflate).",
        ) from error
    except (zipfile.BadZipFile, EOFError, zlib.error, ValueError, RuntimeError) as error:
        raise _damaged(file, error, member=name) from error


def _info(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    return next(info for info in archive.infolist() if _name(info) == name)


def _name(info: zipfile.ZipInfo) -> str:
    return info.filename.replace("\\", "/")


def _is_left_out(info: zipfile.ZipInfo) -> bool:
    name = _name(info)
    parts = PurePosixPath(name).parts
    is_hidden = any(part.startswith(".") and part != ".." for part in parts)
    return name.endswith("/") or is_hidden or "__MACOSX" in parts


def _checked(info: zipfile.ZipInfo, file: str) -> Member:
    name = _name(info)
    problem = None
    if info.flag_bits & _ENCRYPTED:
        problem, remedy = "is encrypted", "Deliver the archive without a password."
    elif ".." in PurePosixPath(name).parts or name.startswith("/") or name[1:2] == ":":
        problem, remedy = "leaves the archive", "Pack the files again, without paths."
    elif stat.S_ISLNK(info.external_attr >> 16):
        problem, remedy = "is a link", "Pack the file itself."
    elif name.lower().endswith(_ARCHIVES):
        problem, remedy = "is an archive inside the archive", "Deliver the inner archive by itself."
    if problem is not None:
        raise ExtractError(file, f"the member {name} {problem}", remedy=remedy)
    return Member(name, info.file_size)


def _damaged(file: str, error: Exception, *, member: str | None = None) -> ExtractError:
    what = f"the member {member}" if member else "the zip archive"
    return ExtractError(
        file,
        f"{what} is damaged or cut short ({type(error).__name__})",
        remedy="Copy or export the file again; the transfer may have been interrupted.",
    )
