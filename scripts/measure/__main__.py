"""Measures, and tells.

    scripts/bench            a table, and bars of growth
    scripts/bench --json     {"machine": ..., "rows": [{"name", "value", "unit", "peer", "peer_value", "ratio", ...}]}
    scripts/bench --manual   into the manual, with the JSON and the picture that belong to it

Times are medians of several runs; the spread is that of the middle half of them, as a share of the median. Each group
of measurements has a process of its own: what one leaves behind, the garbage collector of the next would look through.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from . import report
from .groups import GROUPS, measured
from .machine import machine
from .picture import picture
from .rows import Row

MEASURED = Path(__file__).parent.parent / "measured"  # growth.svg, rows.json
PAGE = Path(__file__).parent.parent.parent / "bsrepl" / "manual" / "costs.md"


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measures bsrepl beside its peers.")
    parser.add_argument("--json", action="store_true", help="for machines")
    parser.add_argument("--quick", action="store_true", help="fewer runs, and the largest sizes left out")
    parser.add_argument("--only", choices=GROUPS, metavar="NAME", help=", ".join(GROUPS))
    parser.add_argument("--manual", action="store_true", help="everything, into the manual")
    options = parser.parse_args()
    if options.manual and (options.quick or options.only):
        parser.error("--manual tells everything, measured at leisure; leave out --quick and --only")
    rows: list[Row] = []
    for name in [options.only] if options.only else GROUPS:
        print(f"{name} ...", file=sys.stderr, flush=True)
        with ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as process:
            rows += process.submit(measured, name, options.quick).result()
    result = {"date": time.strftime("%Y-%m-%d"), "machine": machine(), "rows": [row.as_json() for row in rows]}
    if options.manual:
        MEASURED.mkdir(exist_ok=True)
        (MEASURED / "rows.json").write_text(json.dumps(result, indent=1) + "\n")
        (MEASURED / "growth.svg").write_text(picture(rows))
        PAGE.write_text(report.placed(PAGE.read_text(), report.markdown(result, rows)))
    if options.json:
        print(json.dumps(result, indent=2))
    else:
        print(report.table(rows))
        print(report.bars(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
