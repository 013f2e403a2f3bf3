"""`python -m skinframe_tiny.build {clip,qwen,all}` rebuilds the embedded weights in place."""

from __future__ import annotations

import argparse
import importlib

PARTS = ("clip", "qwen")


def main() -> None:
    """Run the chosen builders. Each is imported only when it runs, because each needs its own heavy libraries."""
    parser = argparse.ArgumentParser(prog="python -m skinframe_tiny.build", description=main.__doc__)
    parser.add_argument("part", choices=(*PARTS, "all"), help="which weights to train and write")
    chosen = parser.parse_args().part
    for part in PARTS if chosen == "all" else (chosen,):
        importlib.import_module(f"skinframe_tiny.build.build_{part}").main()


if __name__ == "__main__":
    main()
