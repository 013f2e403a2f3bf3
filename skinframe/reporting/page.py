"""The report page: one self-contained HTML document, its sections in order, every value escaped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from skinframe.reporting import claims, formatting
from skinframe.reporting.glossary import TERMS, GlossaryTerm
from skinframe.reporting.page_sections import PageSection, Values, citing, page_sections
from skinframe.reporting.page_views import tiles
from skinframe.reporting.report_schema import Report
from skinframe.reporting.report_values import SCREENING

if TYPE_CHECKING:
    from jinja2 import Environment


@dataclass(frozen=True, kw_only=True)
class SectionView:
    """A section that has something to say: what its template reads, and its terms in the glossary."""

    section: PageSection
    report: Report
    values: Values
    terms: tuple[GlossaryTerm, ...]


def environment() -> Environment:
    """Return the templates of this folder; every value is escaped, and an unknown name is an error."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    env = Environment(
        loader=PackageLoader("skinframe.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters.update(
        number=formatting.number,
        interval=formatting.interval,
        count=formatting.count,
        percent=formatting.percent,
        plain=formatting.plain,
        listed=formatting.listed,
        capitalize_first=lambda text: text[:1].upper() + text[1:],
    )
    return env


def render(report: Report) -> str:
    """Return the whole page: one self-contained HTML document without script."""
    views = section_views(report)
    used = {term.key for view in views for term in view.terms}
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            whole=report,
            head=report.headline,
            tiles=tiles(report),
            screening=next((table for table in report.evidence if table.topic == SCREENING), None),
            names=[(k, v) for k, v in report.class_titles.items() if v.lower() != k.lower()],
            claims=claims,
            views=views,
            glossary=[term for key, term in TERMS.items() if key in used],
            words=formatting,
        )
    )


def section_views(report: Report) -> list[SectionView]:
    """Return the sections that have something to say, each built from the tests that it may cite."""
    views = []
    for section in page_sections(report):
        allowed = citing(report, section.cites)
        values = section.build(allowed)
        if values is not None:
            terms = tuple(TERMS[key] for key in section.terms)
            views.append(SectionView(section=section, report=allowed, values=values, terms=terms))
    return views


def summary_html(report: Report) -> str:
    """Return a short HTML fragment for a notebook: headline, warnings, the table of figures. No script or style."""
    template = environment().get_template("summary.html.j2")
    return template.render(report=report, head=report.headline, columns=formatting.columns(report), claims=claims)
