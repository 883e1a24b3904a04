"""Errors of the extracts floor: each names the file, the column if any, and the remedy."""

from __future__ import annotations


class ExtractError(Exception):
    """An extract as a whole cannot be read; nothing of it is loaded.

    Attributes:
        file: path of the file relative to the landing folder.
        column: the column at fault, if one is.
        problem: what is wrong, in words; never a value of a row.
        remedy: what the person who wrote the file can do.
    """

    def __init__(self, file: str, problem: str, *, remedy: str, column: str | None = None) -> None:
        self.file = file
        self.column = column
        self.problem = problem
        self.remedy = remedy
        super().__init__(file, problem, remedy, column)

    def __str__(self) -> str:
        where = f"{self.file}, column {self.column}" if self.column else self.file
        return f"{where}: {self.problem}\n{self.remedy}"


class FileChangedError(Exception):
    """A delivered file vanished or changed while it was read; it is left for the next run."""

    def __init__(self, file: str) -> None:
        self.file = file
        super().__init__(f"{file}: vanished or changed while it was read; left for the next run")
