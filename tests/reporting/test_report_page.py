from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest

from skinframe.reporting.page import render, summary_html
from skinframe.reporting.report_schema import Report

VOID = {"meta", "img", "br", "rect", "circle", "polyline"}
MARKUP = (
    "html head meta title style body main header footer section article nav div p span strong small bdi code pre "
    "h1 h2 h3 ul li dl dt dd a table thead tbody tfoot tr th td figure figcaption img blockquote details summary br "
    "svg rect circle polyline text"
)
ALLOWED = set(MARKUP.split())
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    "</style><script>alert(1)</script>",
    "</title><svg onload=alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
    "url(https://evil.example/x)",
    "\u202egnp.exe\x00",
    "\ud800",
)


class Walk(HTMLParser):
    """Collects what a browser would see, and that every opened element is closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str, str]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def check_inert(page: Walk) -> None:
    assert page.tags <= ALLOWED, page.tags - ALLOWED
    assert page.open == []
    for tag, name, value in page.attributes:
        assert not name.startswith("on"), (tag, name)
        assert "javascript:" not in value or name in ("alt", "aria-label"), (tag, name, value)
        if name == "src":
            assert value.startswith("data:image/jpeg;base64,")
        if name == "href":
            assert value.startswith("#")
        if name == "style":
            assert re.fullmatch(
                r"--share: [01]\.\d{3}|background: linear-gradient\([a-z0-9 (),]*\)|[a-z0-9:; -]+", value
            )


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(hostile: Callable[[str], Report], text: str) -> None:
    made = hostile(text)
    page = Walk(render(made))
    check_inert(page)
    check_inert(Walk(summary_html(made)))
    # it is shown, not swallowed
    shown = " ".join(text.replace("\x00", "").split())
    assert shown.replace("\ud800", "") in page.text.replace("\x00", "")


def test_the_page_asks_the_network_for_nothing(report: Report) -> None:
    text = render(report)
    assert not re.search(r"https?://|//[a-z]+\.|@import|url\(|<script|<link|<iframe", text)
    policy = next(value for tag, name, value in Walk(text).attributes if tag == "meta" and "default-src" in value)
    assert "default-src 'none'" in policy
    assert "script-src" not in policy


def test_every_part_is_on_the_page(report: Report) -> None:
    text = Walk(render(report)).text
    for words in (
        "scale: tiny",
        "synthetic images",
        "Not a medical device",
        "395 test images of 117 patients",
        "0.567 to 0.657",
        "a perfectly calibrated model of this sharpness and n would score 0.041",
        "our reconstruction of CFA",
        "truncated JPEG",
        "losses.consistency (disabled)",
        "epoch 8 chosen by lowest validation NLL",
        "Bayes ceiling",
        "dermatofibroma",
        "Rationale the model wrote",
    ):
        assert words in text, words
    assert len(text) > 3000


def test_absent_parts_leave_no_heading(seven: Report, least: Report) -> None:
    text = Walk(render(seven)).text
    assert "Rationale" not in text
    assert "Explanations" not in text
    assert "synthetic images" not in text
    assert "dark tick" not in text
    assert "a ring is" not in text
    bare = Walk(render(least))
    assert "Cases" not in bare.text
    assert "No figure was recorded" in bare.text
    check_inert(bare)


def test_every_link_of_the_contents_has_its_target(report: Report, seven: Report, least: Report) -> None:
    for one in (report, seven, least):
        page = Walk(render(one))
        targets = {value for _, name, value in page.attributes if name == "id"}
        links = {value[1:] for tag, name, value in page.attributes if tag == "a" and name == "href"}
        assert links == targets


def test_size_is_bounded_by_the_cases(report: Report, least: Report) -> None:
    assert len(render(least)) < 30_000
    without = dataclasses.replace(report, cases=())
    assert (len(render(report)) - len(render(without))) / len(report.cases) < 60_000


def test_an_image_that_cannot_be_read_leaves_a_place(report: Report) -> None:
    broken = dataclasses.replace(report.cases[0], image=b"<svg onload=alert(1)>")
    page = Walk(render(dataclasses.replace(report, cases=(broken,))))
    check_inert(page)
    assert "image not readable" in page.text
    assert "img" not in page.tags


def test_the_level_of_the_intervals_is_the_runs(report: Report) -> None:
    text = Walk(render(dataclasses.replace(report, level=0.9))).text
    assert "90% interval 0.567 to 0.657" in text
    assert "95% interval" not in text
