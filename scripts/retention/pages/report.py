"""The report of a study: a first page that a newcomer understands, and all that it leads to, in one zip."""

import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from markupsafe import Markup
from PIL import Image

from retention.common.errors import UserError
from retention.common.files import atomic_path
from retention.common.lists import listed
from retention.common.parts import load_part, part_names
from retention.measuring.declaration import Figure
from retention.measuring.figures import figure_homes
from retention.measuring.shown_with import finding_of
from retention.pages.markdown import Section, sections_of
from retention.pages.rendering import render
from retention.pages.strip import FILE, Forgotten, read_strip
from retention.pages.zipped import of_workflow, placed, put, require_study, text_of
from retention.reporting.declared import by_number, declared
from retention.reporting.explained import HEADING as WORDS
from retention.reporting.said_once import HEADING as BEFORE
from retention.reporting.study_tables import ACCURACY, CLASSES, DATA, PAPER

SUMMARY, CONFIGURATION = "summary.md", "config.yaml"
# What a newcomer sees first, as far as the study has them: images, what forgetting depends on, then samples and runs.
TELLING = (
    "class_hazards_with_images",
    "variance_shares",
    "trace_raster",
    "retention_curves",
    "overlap_against_fraction",
    "learning_curves",
)
FIRST = 3
PER_INCH = 96  # pixels of a page, as CSS has them
OF_FINDING = re.compile(r"F\d+\. ")
# Figures of series, and the findings that they belong to: they read no finding's table.
OF_SERIES = {"overlap_against_fraction": "architecture_overlap", "retention_curves": "fit_quality"}
CHECKS = ("Findings held against each other", "What the reported numbers say")
KINDS = {"csv": "CSV", "md": "Markdown", "tex": "LaTeX"}
TEXTS = (".csv", ".md", ".yaml", ".txt")
NUMBERED = re.compile(r"<strong>(F\d+)</strong>")  # a finding in "In short"
WRONG, CHOICES = "Runs whose training went wrong", "Every analytic choice"
SHORT = "In short"  # what the page begins with
OF_DATA = ("Data", "Notes on the data", "Accuracy on held-out samples")


@dataclass(frozen=True)
class Shown:
    """A figure as the page shows it: its files in the zip, its title and its caption.

    width, height: of a page's pixels, 96 to an inch, so that letters are of one size in all figures.
    """

    dataset: str
    figure: Figure
    image: str
    width: int
    height: int
    other: tuple[str, ...] = ()  # the same as PDF and SVG


@dataclass(frozen=True)
class Report:
    """What the first page is made of.

    files: by their place in the zip, below the study's folder.
    """

    study: str
    summary: str
    configuration: str
    files: Mapping[str, Path]
    runs: Sequence[Mapping] = field(default=())  # run.yaml of each


def read_report(
    study: str, results: Path, files: Iterable[Path], runs: Sequence[Mapping] = ()
) -> Report:
    """Collect the files of a study's results, folders with all they hold; `results` is the folder they lie in.

    Raises `UserError` for a name that no folder can have, a file that lies elsewhere or is not there, and where summary or
    configuration is not among them.
    """
    require_study(study)
    found = placed(results, files)
    for name in (SUMMARY, CONFIGURATION):
        if name not in found:
            raise UserError(
                f"--files: {results / name} is not among them; the report begins with it"
            )
    summary, configuration = (text_of(found[name]) for name in (SUMMARY, CONFIGURATION))
    _require_placed(found)
    return Report(study, summary, configuration, found, runs)


def left_out(report: Report) -> list[str]:
    """Return a line for each kind of pictures that stand elsewhere on the page than a reader would look for them."""
    _, sections = sections_of(report.summary)
    findings, shown = _by_kind(sections)["findings"], list(_shown(report.files))
    placed = [*_first(shown), *(one for section in findings for one in _of_finding(section, shown))]
    astray = [one for one in shown if one not in placed and _declared(one.figure.name)[0]]
    unknown = [path for path in _pictures(report.files) if path.stem not in figure_homes()]
    lines = []
    if astray:
        title = _declared(astray[0].figure.name)[0]
        lines.append(
            f"under Methods, since {SUMMARY} has no section of their finding and data set: "
            f"{listed(one.image for one in astray)}; expected a heading such as “## {title} ({astray[0].dataset})”"
        )
    if unknown:
        lines.append(
            f"in the zip, but not on the page, since no figure has this name: {listed(unknown)}; "
            "expected a name of scripts/draw_figure.py"
        )
    return lines


def write_report(report: Report, workflow: Path | None, output: Path) -> None:
    """Write the zip: index.html, the files, and Snakemake's own report, a zip too, unpacked into workflow/."""
    with atomic_path(output) as temporary, zipfile.ZipFile(temporary, "w") as target:
        page = first_page(report, workflow is not None)
        put(target, f"{report.study}/index.html", page.encode())
        for name, path in sorted(report.files.items()):
            put(target, f"{report.study}/{name}", path.read_bytes())
        for name, content in of_workflow(workflow) if workflow is not None else ():
            put(target, f"{report.study}/workflow/{name}", content)


def first_page(report: Report, has_workflow: bool) -> str:
    """Return index.html."""
    lead, sections = sections_of(report.summary)
    shown = list(_shown(report.files))
    by_kind = _by_kind(sections)
    findings = [
        (section.linked(f'see "{BEFORE}"', BEFORE, "#before"), _of_finding(section, shown))
        for section in by_kind["findings"]
    ]
    choices = [(section, _of_choices(section, shown)) for section in by_kind["choices"]]
    above = [*_first(shown), *(one for _, figures in findings + choices for one in figures)]
    return render(
        "report.html.j2",
        title=f"Study {report.study}",
        lead=_lead(lead, by_kind["short"], by_kind["findings"]),
        strips=_strips(report.files),
        first=_first(shown),
        wrong=by_kind["wrong"],
        before=by_kind["before"],
        words=by_kind["words"],
        findings=findings,
        choices=choices,
        pages=_pages(report.files),
        tables=_tables(report.files),
        kinds=KINDS,
        texts=_texts(report.files),
        checks=by_kind["checks"],
        paper=by_kind["others"],
        data=by_kind["data"],
        further=[one for one in shown if one not in above],
        runs=_facts(report.runs),
        configuration=report.configuration,
        has_workflow=has_workflow,
    )


def _require_placed(files: Mapping[str, Path]) -> None:
    """Raise `UserError` where figures do not lie in the folder of a data set, which says what they are of."""
    astray = [path for path in _pictures(files) if len(path.parts) != 3]
    if astray:
        raise UserError(
            f"--files: {listed(astray)}: expected <data set>/figures/{astray[0].name} below --results, with the name that "
            f"stands in brackets in the headings of {SUMMARY}"
        )


def _pictures(files: Mapping[str, Path]) -> list[PurePosixPath]:
    """Return the places of all PNG files in folders of figures."""
    paths = [PurePosixPath(place) for place in sorted(files)]
    return [path for path in paths if path.suffix == ".png" and path.parent.name == "figures"]


def _lead(
    lead: Markup, short: Sequence[Section], findings: Sequence[Section]
) -> tuple[Markup, Markup]:
    """Return what stands down to the first paragraph of "In short", and the rest: images stand between them.

    Findings' numbers in the rest lead to the first section of theirs.
    """
    first, end, rest = Markup("").join(section.body for section in short).partition("</p>")
    anchors: dict[str, int] = {}
    for place, section in enumerate(findings, 1):
        anchors.setdefault(section.text.partition(".")[0], place)

    def linked(found: re.Match[str]) -> str:
        place = anchors.get(found[1])
        return f'<a href="#finding-{place}">{found[1]}</a>' if place else found[0]

    return lead + first + end, Markup(NUMBERED.sub(linked, rest))


def _strips(files: Mapping[str, Path]) -> dict[str, tuple[str, list[Forgotten]]]:
    """Return by data set the folder of its gallery and the most forgotten samples, where it shows any."""
    found = {}
    for place in sorted(files):
        path = PurePosixPath(place)
        if path.parts[1:] == ("gallery", FILE) and (samples := read_strip(files[place])):
            found[path.parts[0]] = (str(path.parent), samples)
    return found


def _by_kind(sections: Sequence[Section]) -> dict[str, list[Section]]:
    kinds: dict[str, list[Section]] = {
        name: []
        for name in (
            "short",
            "wrong",
            "words",
            "before",
            "findings",
            "choices",
            "data",
            "checks",
            "others",
        )
    }
    for section in sections:
        kinds[_kind(section.text)].append(section)
    return kinds


def _kind(title: str) -> str:
    if OF_FINDING.match(title):
        return "findings"
    if title.startswith(BEFORE):
        return "before"
    if title.startswith(CHOICES):
        return "choices"
    if title.startswith(OF_DATA):
        return "data"
    if title.startswith(CHECKS):
        return "checks"
    return {SHORT: "short", WRONG: "wrong", WORDS: "words"}.get(title, "others")


def _declared(name: str) -> tuple[str, Figure]:
    """Return the title of the finding that a figure is shown with, "" for none, and what the figure says of itself."""
    room, part = figure_homes()[name]
    if room != "retention.findings":
        figure = load_part("retention.figures", part).FIGURE
        part = finding_of(figure) or OF_SERIES.get(name, "")
        return load_part("retention.findings", part).FINDING.title if part else "", figure
    finding = load_part("retention.findings", part).FINDING
    return finding.title, next(figure for figure in finding.figures if figure.name == name)


def _shown(files: Mapping[str, Path]) -> Iterator[Shown]:
    known = figure_homes()
    for path in _pictures(files):
        if path.stem in known:
            others = [str(path.with_suffix(suffix)) for suffix in (".pdf", ".svg")]
            yield Shown(
                path.parts[0],
                _declared(path.stem)[1],
                str(path),
                *_natural_size(files[str(path)]),
                tuple(name for name in others if name in files),
            )


def _natural_size(path: Path) -> tuple[int, int]:
    """Return width and height of a PNG as printed, in pixels of a page; raise `UserError` where it is no image."""
    try:
        with Image.open(path) as image:
            dots = image.info.get("dpi", (PER_INCH, PER_INCH))
            width, height = (
                round(PER_INCH * side / dot) for side, dot in zip(image.size, dots, strict=True)
            )
    except (OSError, ZeroDivisionError) as error:
        raise UserError(
            f"{path}: is no PNG; draw the figure anew (scripts/draw_figure.py)"
        ) from error
    return width, height


def _first(shown: Sequence[Shown]) -> list[Shown]:
    """Return the three most telling figures that every data set has, data set by data set."""
    names = [name for name in TELLING if any(one.figure.name == name for one in shown)][:FIRST]
    chosen = [one for one in shown if one.figure.name in names]
    return sorted(chosen, key=lambda one: (one.dataset, names.index(one.figure.name)))


def _of_finding(section: Section, shown: Sequence[Shown]) -> list[Shown]:
    """Return the figures of the finding and the data set that a section is about, those of its own folder first."""
    found = [
        one
        for one in shown
        if (title := _declared(one.figure.name)[0]) and section.text == f"{title} ({one.dataset})"
    ]
    return sorted(found, key=lambda one: figure_homes()[one.figure.name][0] == "retention.figures")


def _of_choices(section: Section, shown: Sequence[Shown]) -> list[Shown]:
    return [
        one
        for one in shown
        if one.figure.name.startswith("multiverse_") and section.text.endswith(f"({one.dataset})")
    ]


def _pages(files: Mapping[str, Path]) -> dict[str, dict[str, str]]:
    """Return what leads to the images of each data set: its gallery and its explorer."""
    found: dict[str, dict[str, str]] = {}
    for place in sorted(files):
        dataset, _, inner = place.partition("/")
        kind = {"gallery/index.html": "gallery", "explorer.html": "explorer"}.get(inner)
        if kind:
            found.setdefault(dataset, {})[kind] = place
    return found


def _tables(files: Mapping[str, Path]) -> dict[str, list[str]]:
    """Return the files of each table by what it is called, in the order in which a paper would print them."""
    found: dict[str, list[str]] = {}
    for place in sorted(files):
        path = PurePosixPath(place)
        if path.parent.name == "tables":
            found.setdefault(path.stem, []).append(place)
    findings = by_number({*found} & {*part_names("retention.findings")})
    known = {name: declared(name).title for name in findings}
    order = [PAPER, *findings, CLASSES, ACCURACY, DATA]
    names = sorted(found, key=lambda name: order.index(name) if name in order else len(order))
    return {known.get(name, name.replace("_", " ").capitalize()): found[name] for name in names}


def _texts(files: Mapping[str, Path]) -> list[str]:
    """Return the tables and texts that stand in no list of their own: of findings, series and the whole study."""
    apart = {"tables", "gallery", "thumbnails", "figures"}
    return [
        place
        for place in sorted(files)
        if place.endswith(TEXTS) and not apart & {*PurePosixPath(place).parent.parts}
    ]


def _facts(runs: Sequence[Mapping]) -> dict[str, list[str]]:
    """Return what the runs say of how they were made: each fact with all its values."""
    facts: dict[str, dict[str, None]] = {}
    for run in runs:
        for name, version in run.get("versions", {}).items():
            facts.setdefault(name, {})[str(version)] = None
        for name, value in (("device", run.get("device")), ("commit", run.get("commit"))):
            if value:
                facts.setdefault(name, {})[str(value)] = None
    hours = sum(run.get("wall_seconds", 0.0) for run in runs) / 3600
    told = {name: list(values) for name, values in facts.items()}
    return told | ({"hours of training": [f"{hours:.2g}"]} if hours else {})
