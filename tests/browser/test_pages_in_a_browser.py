"""The report page in a real browser: `tox -e pages`. Needs a chromium on the machine; set CHROMIUM to its path.

At 1280 and 375 pixels, light and dark: no sideways scroll, nothing serious found by axe. As PDF: no table is cut.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sync_api = pytest.importorskip("playwright.sync_api")
axe_module = pytest.importorskip("axe_playwright_python.sync_playwright")

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "reporting"))
import conftest as made_up  # noqa: E402  # the made-up reports of tests/reporting
from skinframe.reporting.page import render  # noqa: E402
from skinframe.reporting.report_schema import Report  # noqa: E402
from skinframe.reporting.report_values import SCREENING, EvidenceRow, EvidenceTable, Series  # noqa: E402

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
OUT = os.environ.get("PAGES_OUT")  # where screenshots are wanted, a folder


def whole() -> Report:
    """Return the made-up report with every kind of part that a page can have."""
    report = made_up.full()
    cells = tuple(made_up.estimate(value) for value in (0.81, 0.77, 0.88, 0.7, 0.65, 0.9, 0.5))
    head = ("AUROC", "average precision", "partial AUC, FPR < 0.1", "sensitivity", "held here", "specificity", "held")
    tables = (
        EvidenceTable(
            name="Malignant classes",
            topic=SCREENING,
            sentence="Each malignant class against all other images.",
            head=("sensitivity", "specificity", "AUROC"),
            rows=tuple(
                EvidenceRow(name=name, cells=cells[:3], note="43 of 395 images")
                for name in ("melanoma (MEL)", "squamous cell carcinoma (SCC)", "any malignant class")
            ),
        ),
        EvidenceTable(
            name="MEL against the rest",
            topic="discrimination",
            sentence="Sensitivity is at the threshold with specificity 0.9 on validation.",
            head=head,
            rows=(
                EvidenceRow(name="this run, before calibration", cells=cells, note="a note that is not short at all"),
            ),
        ),
        EvidenceTable(
            name="Decision curve: MEL",
            topic="decision-curves",
            sentence="Net benefit per image.",
            head=("model", "treat all", "treat none"),
            rows=(EvidenceRow(name="10 %", cells=cells[:3]),),
            curves=(Series(name="net benefit", x=(1.0, 2.0, 3.0), y=(0.1, 0.08, 0.05), beside=((0.1, 0.0, -0.1),)),),
        ),
    )
    titles = dict(zip(made_up.CLASSES, made_up.TITLES, strict=True))
    cases = tuple(
        dataclasses.replace(case, names=("melanoma",), prediction_set=(0, 1) if place % 2 else (0,))
        for place, case in enumerate(report.cases)
    )
    return dataclasses.replace(
        report,
        evidence=tables,
        class_titles=titles,
        cases=cases,
        trained_on="Trained on 1,402 images of synthetic_dermoscopy, drawings made by a program.",
        explained=("Whether the findings are true was not tested: this set has no annotated attributes.",),
    )


def real() -> Path:
    """Return a report of a real run: of this checkout's fixture, or the one that PAGES_RUN names."""
    named = os.environ.get("PAGES_RUN")
    return Path(named) if named else Path(__file__).resolve().parents[1] / "finished" / "run_at_9195069"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    from skinframe.reporting.report_files import read_report

    folder = tmp_path_factory.mktemp("pages")
    found = {}
    for name, report in (("made_up", whole()), ("run", read_report(real()))):
        found[name] = folder / f"{name}.html"
        found[name].write_text(render(report), encoding="utf-8")
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.fail("no chromium on this machine; install one or set CHROMIUM to its path")
    with sync_api.sync_playwright() as play:
        opened = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.mark.parametrize("name", ["made_up", "run"])
@pytest.mark.parametrize("width", [1280, 375])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_fits_and_axe_finds_nothing_serious(
    browser: Any, pages: dict[str, Path], name: str, width: int, scheme: str
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.goto(pages[name].as_uri())
    if OUT:
        page.screenshot(path=str(Path(OUT) / f"{name}-{width}-{scheme}.png"), full_page=True)
    size = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert size[0] <= size[1], f"scrolls sideways: {size[0]} of {size[1]} pixels"
    narrow = page.evaluate(
        "[...document.querySelectorAll('tbody th')].filter(th => th.innerText.trim().length > 8"
        " && th.getBoundingClientRect().width < 60).map(th => th.innerText)"
    )
    assert narrow == [], "row titles with a few letters a line"
    found = axe_module.Axe().run(page)
    serious = [
        f"{one['id']}: {one['nodes'][0]['html'][:120]} ({len(one['nodes'])} places)"
        for one in found.response["violations"]
        if one["impact"] in ("serious", "critical")
    ]
    page.close()
    assert serious == []


@pytest.mark.parametrize("name", ["made_up", "run"])
def test_no_table_is_cut_on_paper(browser: Any, pages: dict[str, Path], name: str, tmp_path: Path) -> None:
    width = 1032  # of A4 across, less margins of 12 mm, at 96 dots an inch
    page = browser.new_page(viewport={"width": width, "height": 700})
    page.emulate_media(media="print")
    page.goto(pages[name].as_uri())
    cut = page.evaluate(
        "[...document.querySelectorAll('table, pre, svg, img')].filter(one => {"
        f" const box = one.getBoundingClientRect(); return box.width > 0 && box.right > {width} + 1; }})"
        ".map(one => one.tagName + ' ' + one.getAttribute('class') + ' ' + one.getBoundingClientRect().right)"
    )
    data = page.pdf(prefer_css_page_size=True, path=str(Path(OUT) / f"{name}.pdf") if OUT else None)
    page.close()
    assert cut == []
    assert data.startswith(b"%PDF")


def test_a_picture_opens_large_and_closes_without_a_script(browser: Any, pages: dict[str, Path]) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900}, java_script_enabled=False)
    page.goto(pages["made_up"].as_uri())
    small = page.locator("#picture-1 img").bounding_box()
    page.locator("#picture-1 a").first.click()
    large = page.locator("#picture-1 img").bounding_box()
    assert large["width"] > 2 * small["width"]
    page.locator("#picture-1 .close").click()
    assert page.locator("#picture-1 img").bounding_box()["width"] == pytest.approx(small["width"], abs=1)
    page.close()
