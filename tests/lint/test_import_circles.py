"""No circle of imports anywhere, those inside functions and for the type checker included."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

import grimp

from skinframe.plugins import installed


def test_no_module_imports_itself_by_way_of_others() -> None:
    packages = ["skinframe", *(plugin.entry.value for plugin in installed().values())]
    graph = grimp.build_graph(*packages, cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    assert imports["skinframe.planning.connect"]  # the graph was read
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        raise AssertionError(f"a circle of imports: {' -> '.join(error.args[1])}") from None
