"""Stands in for dbt's cross-database macros where sqlfluff renders the models without dbt.

Belongs here: each macro of the `dbt` namespace that the project calls, as DuckDB writes it.
"""


def dateadd(part: str, interval: int, from_date: str) -> str:
    """The moment so many `part`s later."""
    return f"date_add({from_date}, interval ({interval}) {part})"


def datediff(first_date: str, second_date: str, part: str) -> str:
    """Whole `part`s from the first to the second date."""
    return f"date_diff('{part}', {first_date}, {second_date})"


def listagg(measure: str, delimiter: str, order_by: str) -> str:
    """The texts of a group as one."""
    return f"string_agg({measure}, {delimiter} {order_by})"
