"""Print the table of docs/oracles.md: each comparison with version, cases and the largest difference that was met.

uv run --group oracle python tests/evaluation/oracle/table.py --cases 1000
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from importlib.metadata import version

from comparing import CASES, DEFINITION
from test_every_metric import COMPARISONS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=CASES, help="at most so many a comparison")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="of these, some")
    args = parser.parse_args()
    print("| ours | oracle | version | cases | largest difference |\n| --- | --- | --- | --- | --- |")
    for one in sorted(COMPARISONS, key=lambda one: one.ours):
        if args.only and one.ours not in args.only:
            continue
        gaps = [gap for _, gap in replace(one, cases=min(args.cases, one.cases)).gaps()]
        package = "" if one.package == DEFINITION else f"{one.package} {version(one.package)}"
        print(f"| `{one.ours}` | {one.oracle} | {package} | {len(gaps):,} | {max(gaps):.1e} |", flush=True)


if __name__ == "__main__":
    main()
