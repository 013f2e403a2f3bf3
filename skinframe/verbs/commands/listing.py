"""`skinframe list`: installed plugins and what they register."""

from __future__ import annotations

import argparse

from skinframe.verbs.commands.options import Verbs


def add(verbs: Verbs) -> None:
    listing = verbs.add_parser("list", help="list installed plugins; with names, the components that they register")
    listing.add_argument("plugins", nargs="*", metavar="PLUGIN", help="import these and list their components")
    listing.add_argument("--all", action="store_true", help="import every installed plugin")
    listing.set_defaults(verb=_list)


def _list(options: argparse.Namespace) -> None:
    from skinframe.inventory import components, plugins

    print(components(options.plugins) if options.plugins or options.all else plugins())
