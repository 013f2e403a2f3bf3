"""The command line: parse, call, print. Imports what a verb needs inside that verb."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from skinframe.errors import SkinframeError

CACHE = "SKINFRAME_CACHE"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit with its code; a user's mistake prints one message and no stack trace."""
    # set before torch is imported: threads that wait by spinning are four times slower on a shared machine
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    options = parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _terminate)
    try:
        options.verb(options)
    except SkinframeError as error:
        if options.debug:
            raise
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("interrupted; continue with --resume", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:  # `skinframe list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _terminate(number: int, frame: object) -> None:
    print("terminated; the last checkpoint is whole, continue with --resume", file=sys.stderr)
    sys.exit(143)


def parser() -> argparse.ArgumentParser:
    """Return the parser; also what the docs are checked against."""
    top = argparse.ArgumentParser(
        prog="skinframe", description="Train, ablate and judge multimodal skin-cancer models from recipes and plugins."
    )
    top.add_argument("--debug", action="store_true", help="show the stack trace of an error")
    verbs = top.add_subparsers(title="commands", required=True, metavar="COMMAND")

    run = verbs.add_parser("run", help="run a recipe to its report")
    _recipe_options(run)
    run.add_argument("--out", type=Path, default=Path("runs"), help="where run folders go (default: runs)")
    run.add_argument("--cache", type=Path, help=f"feature cache (default: OUT/.cache, or ${CACHE})")
    run.add_argument("--resume", action="store_true", help="continue from the newest verified checkpoint")
    run.set_defaults(verb=_run)

    plan = verbs.add_parser("plan", help="show what a run would do, cost and need; loads no weights")
    _recipe_options(plan)
    plan.add_argument("--yaml", action="store_true", help="print the whole plan as YAML")
    plan.set_defaults(verb=_plan)

    listing = verbs.add_parser("list", help="list installed plugins; with names, the components that they register")
    listing.add_argument("plugins", nargs="*", metavar="PLUGIN", help="import these and list their components")
    listing.add_argument("--all", action="store_true", help="import every installed plugin")
    listing.set_defaults(verb=_list)

    show = verbs.add_parser("show", help="show a component: options with types and defaults, docs, origin")
    show.add_argument("component", metavar="COMPONENT", help="a registered name, for example focal")
    show.add_argument("--plugin", action="append", default=[], metavar="FILE", help="also load this one-file plugin")
    show.set_defaults(verb=_show)

    report = verbs.add_parser("report", help="write a finished run's report.html again and print its summary")
    report.add_argument("run", type=Path, metavar="RUN", help="a run folder")
    report.set_defaults(verb=_report)

    compare = verbs.add_parser("compare", help="compare finished runs on the same test samples")
    compare.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="run folders")
    compare.set_defaults(verb=_compare)

    predict = verbs.add_parser("predict", help="probabilities, rationale and heat map for new images")
    predict.add_argument("run", type=Path, metavar="RUN", help="a run folder")
    predict.add_argument("images", type=Path, nargs="+", metavar="IMAGE", help="JPEG or PNG files")
    predict.add_argument(
        "--meta", action="append", default=[], type=_pair, metavar="FIELD=VALUE", help="e.g. age=60, sex=female"
    )
    predict.add_argument("--out", type=Path, help="folder for heat maps and predictions.json")
    predict.add_argument("--plugin", action="append", default=[], metavar="FILE", help="one-file plugin of the run")
    predict.set_defaults(verb=_predict)
    return top


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not (name and sign and value):
        raise argparse.ArgumentTypeError(f"expected FIELD=VALUE, for example age=60, got {text!r}")
    return name, value


def _recipe_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("recipe", metavar="RECIPE", help="a recipe file, for example recipes/cfa_full.yaml")
    command.add_argument(
        "--preset", action="append", default=[], metavar="NAME", help="lay presets/NAME.yaml over the recipe, in order"
    )
    command.add_argument(
        "--set", action="append", default=[], metavar="PATH=VALUE", dest="overrides", help="set one path, last of all"
    )
    command.add_argument("--without", action="append", default=[], metavar="KIND.NAME", help="disable a component")
    command.add_argument("--plugin", action="append", default=[], metavar="FILE", help="load a one-file plugin")


def _run(options: argparse.Namespace) -> None:
    from skinframe.engine.start import plan_of, refuse_missing

    plan = plan_of(options.recipe, options.preset, options.overrides, options.without, options.plugin)
    refuse_missing(plan)
    from skinframe.engine.run import run

    cache = options.cache or Path(os.environ.get(CACHE) or options.out / ".cache")
    print(run(plan, out=options.out, cache=cache, resume=options.resume))


def _plan(options: argparse.Namespace) -> None:
    from skinframe.engine.start import plan_of
    from skinframe.planning.show import plan_text, plan_yaml
    from skinframe.planning.sizes import sizes

    plan = plan_of(options.recipe, options.preset, options.overrides, options.without, options.plugin)
    print(plan_yaml(plan) if options.yaml else plan_text(plan, sizes(plan)))


def _list(options: argparse.Namespace) -> None:
    from skinframe.inventory import components, plugins

    print(components(options.plugins) if options.plugins or options.all else plugins())


def _show(options: argparse.Namespace) -> None:
    from skinframe.inventory import describe

    print(describe(options.component, [Path(file) for file in options.plugin]))


def _report(options: argparse.Namespace) -> None:
    from skinframe.engine.after import rewrite_report

    print(rewrite_report(options.run))


def _compare(options: argparse.Namespace) -> None:
    from skinframe.engine.after import compare_runs
    from skinframe.reporting.tables import comparison_text

    print(comparison_text(compare_runs(options.runs)))


def _predict(options: argparse.Namespace) -> None:
    from skinframe.engine.predict import predict

    print(
        predict(options.run, options.images, dict(options.meta), options.out, [Path(file) for file in options.plugin])
    )
