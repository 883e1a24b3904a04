"""Generated lines are skewed like invoices; each change comes to the truth that the scripts read."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import duckdb
import pytest

from dagster_project.lib.extracts.discover import find_deliveries
from tests.benchmarks.deliveries import CHANGES, delivery, last_month, late_month, lay
from tests.benchmarks.generate_lines import landing_folder
from tests.benchmarks.volume import AS_OF, Volume, lines_of, months

VOLUME = Volume(50_000)
# With few customers the first ones weigh less.
SKEWED = Volume(400_000)
KEY = "invoice_id, line_id"


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("generated")


@pytest.fixture(scope="module")
def lines(cache: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    landing = landing_folder(VOLUME, "parquet", cache)
    with duckdb.connect() as connection:
        connection.execute(
            "create view lines as select * from"
            f" read_parquet('{landing}/erp/invoice_lines*.parquet', filename = true)"
        )
        yield connection


def asked(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[object, ...]:
    row = connection.execute(query).fetchone()
    assert row is not None
    return row


def test_months_tile_the_lines() -> None:
    ranges = [lines_of(VOLUME, month) for month in months()]
    assert len(ranges) == 36
    assert (ranges[0][0], ranges[-1][1]) == (0, VOLUME.lines)
    assert all(before[1] == after[0] for before, after in pairwise(ranges))


def test_a_file_holds_its_month_and_whole_documents(lines: duckdb.DuckDBPyConnection) -> None:
    count, keys, files = asked(
        lines, f"select count(*), count(distinct ({KEY})), count(distinct filename) from lines"
    )
    assert (count, keys, files) == (VOLUME.lines, VOLUME.lines, 36)
    strays = asked(
        lines,
        "select count(*) from lines"
        " where not contains(filename, strftime(invoice_date, 'lines_%Y_%m.'))",
    )
    # the day on which a month ends may fall within ten lines
    assert strays <= (10 * 36,)
    split = "select count(*) from (select invoice_id from lines group by invoice_id having {} > 1)"
    assert asked(lines, split.format("count(distinct filename)")) == (0,)
    assert asked(lines, split.format("count(distinct invoice_date)")) == (0,)
    assert asked(lines, split.format("count(distinct customer_id)")) == (0,)


def test_skew_is_that_of_real_invoices(cache: Path) -> None:
    lines = duckdb.connect()
    landing = landing_folder(SKEWED, "parquet", cache)
    lines.execute(f"create view lines as select * from '{landing}/erp/invoice_lines*.parquet'")
    customers = """
        with ranked as (
            select sum(net_amount) as revenue, row_number() over (order by revenue desc) as place
            from lines group by {}
        )
        select sum(revenue) filter (place <= 0.2 * (select count(*) from ranked)) / sum(revenue)
        from ranked
    """
    (share,) = asked(lines, customers.format("customer_id"))
    assert 0.7 < float(str(share)) < 0.95, "a fifth of the customers brings about four fifths"
    (share,) = asked(lines, customers.format("product_id"))
    assert 0.4 < float(str(share)) < 0.5
    sizes = "select min(n), max(n) from (select count(*) as n from lines group by invoice_id)"
    assert asked(lines, sizes) == (1, 9)
    currencies, credit, costed = asked(
        lines,
        "select count(distinct currency), avg((document_type = 'credit_note')::integer),"
        " avg((cost_amount is not null)::integer) from lines",
    )
    assert currencies == 4
    assert 0.02 < float(str(credit)) < 0.04
    assert 0.97 < float(str(costed)) < 0.99


def test_the_same_seed_gives_the_same_rows(
    lines: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    again = landing_folder(VOLUME, "csv", tmp_path)
    differences = asked(
        lines,
        f"select count(*) from (select {KEY}, net_amount from lines except"
        f" select invoice_id, line_id::varchar, net_amount::decimal(18, 2)"
        f" from '{again}/erp/invoice_lines*.csv')",
    )
    assert differences == (0,)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_latest_versions_are_the_truth_that_scripts_read(
    cache: Path, tmp_path: Path, count: int
) -> None:
    landing, as_if = tmp_path / "landing", tmp_path / "as_if"
    for folder in (landing, as_if):
        lay(landing_folder(VOLUME, "parquet", cache), folder)
    for change in CHANGES[:count]:
        lay(delivery(change, VOLUME, "parquet", cache).delivered, landing)
        lay(delivery(change, VOLUME, "parquet", cache).as_if, as_if)
    order = [
        (str(file.path), file.delivery_order)
        for file in find_deliveries(landing, profiles={}).files
        if file.entity == "invoice_lines"
    ]
    assert len(order) == 36 + count
    with duckdb.connect() as connection:
        connection.execute("create table deliveries (path varchar, place integer)")
        connection.executemany("insert into deliveries values (?, ?)", order)
        columns = f"{KEY}, customer_id, invoice_date, document_type, net_amount, cost_amount"
        connection.execute(
            f"create table latest as select {columns} from"
            f" read_parquet('{landing}/erp/invoice_lines*.parquet', filename = true) as lines"
            " inner join deliveries on lines.filename = deliveries.path"
            f" qualify row_number() over (partition by {KEY} order by place desc) = 1"
        )
        truth = f"select {columns} from read_parquet('{as_if}/erp/invoice_lines*.parquet')"
        assert asked(connection, f"select count(*) from ({truth})") > (VOLUME.lines,)
        for one, other in (("from latest", truth), (truth, "from latest")):
            assert connection.execute(f"{one} except all {other}").fetchall() == []


def test_each_change_changes_what_it_says(cache: Path) -> None:
    day, month, late = (delivery(change, VOLUME, "parquet", cache) for change in CHANGES)
    base = landing_folder(VOLUME, "parquet", cache)
    with duckdb.connect() as connection:
        known = f"from '{base}/erp/invoice_lines*.parquet'"
        files = [f"'{change.delivered}/erp/*.parquet'" for change in (day, month, late)]
        again = [
            asked(
                connection,
                f"select count(*) filter (({KEY}) in (select ({KEY}) {known})), count(*) from {file}",
            )
            for file in files
        ]
        assert 0 < int(str(again[0][0])) < int(str(again[0][1]))
        assert int(str(again[1][0])) > 0.9 * VOLUME.lines / 36
        assert again[2][0] == 0
        dates = f"select min(invoice_date), max(invoice_date), max(net_amount) from {files[2]}"
        first, last, most = asked(connection, dates)
        assert late_month() <= first <= last and float(str(most)) < 0  # type: ignore[operator]
        newest = f"select min(invoice_date), max(invoice_date) from {files[0]}"
        first, last = asked(connection, newest)
        assert last_month() <= first <= last < AS_OF  # type: ignore[operator]
