"""The report: what its first page says in which order, that its links lead somewhere, and names that are text."""

import re
import zipfile
from html import unescape
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest
import yaml
from finding_rows import run_of
from report_study import HOSTILE, PICTURE, STRIP, write_results
from sources import ROOT

from retention.commands import build_report
from retention.common.errors import UserError
from retention.pages.markdown import sections_of
from retention.pages.report import _declared, read_report


class Page(HTMLParser):
    """The headings of a page, in order, and all that it links to or shows."""

    def __init__(self, text):
        super().__init__()
        self.headings, self.targets, self.tags, self._heading = [], [], [], None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.tags.append((tag, given))
        self.targets += [given[name] for name in ("href", "src") if name in given]
        if re.fullmatch("h[1-6]", tag):
            self._heading = tag
            self.headings.append("")

    def handle_endtag(self, tag):
        if tag == self._heading:
            self._heading = None

    def handle_data(self, text):
        if self._heading:
            self.headings[-1] += text


@pytest.fixture
def study(tmp_path):
    """Return the folder of a study's results, and what its report holds."""
    results = tmp_path / "results" / "mine"
    return results, write_results(results)


def built(study, tmp_path, *more):
    results, files = study
    words = ["--study", "mine", "--results", results, "--files", *files, *more]
    build_report.main([*map(str, words), "--output", str(tmp_path / "report.zip")])
    with zipfile.ZipFile(tmp_path / "report.zip") as report:
        return {name: report.read(name) for name in report.namelist()}


def test_the_zip_is_a_folder_of_the_studys_name_and_every_link_leads_somewhere(study, tmp_path):
    found = built(study, tmp_path)
    assert {name.split("/")[0] for name in found} == {"mine"}
    results, _ = study
    for name, content in found.items():
        if name != "mine/index.html":
            assert content == (results.parent / name).read_bytes()
    assert not any("state" in name or "snakemake" in name for name in found)
    page = Page(found["mine/index.html"].decode())
    anchors = {f"#{given['id']}" for _, given in page.tags if "id" in given}
    for target in page.targets:
        inside = target in anchors or target == PICTURE
        assert inside or f"mine/{unquote(target)}" in found, target
    assert len(page.targets) > 30


def test_the_page_begins_with_words_and_ends_with_the_workflow(study, tmp_path):
    snakemake = tmp_path / "snakemake.zip"
    with zipfile.ZipFile(snakemake, "w") as other:
        other.writestr("report/report.html", "rules")
        other.writestr("report/data/raw/1/x.png", "x")
    runs = tmp_path / "run.yaml"
    facts = {"versions": {"torch": "2.14"}, "device": "cpu", "commit": "abc", "wall_seconds": 5400}
    runs.write_text(yaml.safe_dump(run_of("resnet", 0) | facts))
    found = built(study, tmp_path, "--workflow", snakemake, "--runs", runs, runs)
    assert found["mine/workflow/report.html"] == b"rules"
    assert found["mine/workflow/data/raw/1/x.png"] == b"x"
    text = found["mine/index.html"].decode()
    order = [
        "Study mine",
        "Runs whose training went wrong",
        "The runs at a glance",
        "Findings",
        "Before the findings (one)",
        "F3. Is it the same samples in the next run? (one)",
        "F3. Is it the same samples in the next run? (two)",
        "F2. Is forgetting an exponential decay? (one)",
        "Every analytic choice (one)",
        "The images themselves",
        "Tables",
        "Beside the paper (arXiv 2604.11508)",
        "Methods",
        "Data",
        "How the runs were made",
        "Configuration",
        "Checks",
        "The workflow",
    ]
    checks = text.split('id="checks"')[1]
    assert "<summary>Findings held against each other</summary>" in checks and "All hold." in checks
    assert Page(text).headings == order
    assert "Two networks were trained. <strong>One</strong> finding stands." in text
    assert text.index("Two networks") < text.index("The runs at a glance")
    for fact in ("2.14", "abc", "<td>3</td>"):
        assert fact in text


def test_a_finding_has_the_figures_of_its_own_data_set(study, tmp_path):
    text = built(study, tmp_path)["mine/index.html"].decode()
    of_one = text.split("in the next run? (one)</h3>")[1].split("</section>")[0]
    shown = re.findall(r'src="([^"]+)"', of_one)
    names = ("seed_stability", "decay_constants_between_seeds")
    assert shown == [f"one/figures/{name}.png" for name in names]
    assert 'href="one/figures/seed_stability.pdf"' in of_one
    glance = text.split("The runs at a glance")[1].split("<h2")[0]
    assert re.findall(r'src="([^"]+)"', glance) == [
        f"{name}/figures/{figure}.png"
        for name in ("one", "two")
        for figure in ("trace_raster", "retention_curves", "overlap_against_fraction")
    ]
    of_curves = text.split("an exponential decay? (one)</h3>")[1].split("</section>")[0]
    assert 'src="one/figures/retention_curves.png"' not in of_curves  # shown once, and linked
    (target,) = re.findall(r'href="#(first-\d)"', of_curves)
    assert (
        'src="one/figures/retention_curves.png"'
        in text.split(f'id="{target}"')[1].split("</figure>")[0]
    )
    assert all(given.get("alt") for tag, given in Page(text).tags if tag == "img")


def test_names_stay_text(study, tmp_path):
    text = built(study, tmp_path)["mine/index.html"].decode()
    page = Page(text)
    assert not any("onerror" in given for _, given in page.tags)
    assert "script" not in {tag for tag, _ in page.tags}
    assert text.count("&lt;img src=x onerror=alert(1)&gt;") > 10
    assert HOSTILE not in text and "<img src=x" not in text


def test_the_first_thing_seen_is_what_was_forgotten(study, tmp_path):
    text = built(study, tmp_path)["mine/index.html"].decode()
    (strip,) = re.findall(r'<section class="forgotten".*?</section>', text, re.S)
    assert text.index("Two networks were trained.") < text.index(strip)
    assert text.index(strip) < text.index("<main")
    shown = re.findall(r"<li>(.*?)</li>", strip, re.S)
    assert len(shown) == len(STRIP)
    for one in shown:
        assert 'href="one/gallery/class_0.html"' in one and f'src="{PICTURE}"' in one
    words = [" ".join(unescape(re.sub(r"<[^>]*>", " ", one)).split()) for one in shown]
    label = " ".join(HOSTILE.split())
    assert words == [
        f"label {label} taken for {label}",
        f"label {label} taken for {label} or owl",
        f"label {label} taken for several classes (3) {label} , owl , duck",
    ]
    assert 'href="one/gallery/index.html"' in strip


def test_figures_are_as_large_as_in_print(study, tmp_path):
    text = built(study, tmp_path)["mine/index.html"].decode()
    sizes = {
        given["src"]: (int(given["width"]), int(given["height"]))
        for tag, given in Page(text).tags
        if tag == "img" and "/figures/" in given["src"]
    }
    narrow = {size for place, size in sizes.items() if place.endswith("fit_quality.png")}
    others = {size for place, size in sizes.items() if not place.endswith("fit_quality.png")}
    assert narrow == {(317, 384)} and others == {(624, 240)}  # 3.3 × 4 and 6.5 × 2.5 inches


def test_a_figure_that_is_none_is_refused(study, tmp_path):
    results, _ = study
    (results / "one/figures/fit_quality.png").write_text("text")
    with pytest.raises(UserError, match=r"fit_quality\.png: is no PNG; draw the figure anew"):
        built(study, tmp_path)


def test_every_figure_and_table_of_the_zip_is_on_the_page_each_figure_once(study, tmp_path):
    found = built(study, tmp_path)
    page = Page(found["mine/index.html"].decode())
    shown = [given["src"] for tag, given in page.tags if tag == "img" and given["src"] != PICTURE]
    pictures = [name.removeprefix("mine/") for name in found if name.endswith(".png")]
    assert sorted(shown) == sorted(pictures)
    texts = [name for name in found if name.endswith((".csv", ".md", ".yaml"))]
    assert texts and {name.removeprefix("mine/") for name in texts} <= {*map(unquote, page.targets)}


def test_series_are_shown_with_their_finding():
    assert _declared("overlap_against_fraction")[0].startswith("F1.")
    assert _declared("retention_curves")[0].startswith("F2.")


def test_numbers_of_findings_lead_to_their_sections(study, tmp_path):
    text = built(study, tmp_path)["mine/index.html"].decode()
    lead = text.split("<main")[0]
    links = re.findall(r'<a href="#(finding-\d+)">(F\d+)</a>', lead)
    assert [name for _, name in links] == ["F3", "F2"] and "<strong>F8</strong>" in lead
    for target, name in links:
        section = text.split(f'id="{target}"')[1]
        assert re.search(r"<h3>(F\d+)", section)[1] == name


def test_without_a_gallery_or_its_row_there_is_none(study, tmp_path):
    results, files = study
    without = built((results, [one for one in files if one.name != "gallery"]), tmp_path)
    assert 'class="forgotten"' not in without["mine/index.html"].decode()
    (results / "one/gallery/most_forgotten.json").write_text("[]")
    assert 'class="forgotten"' not in built(study, tmp_path)["mine/index.html"].decode()


def test_equal_reports_are_equal_bytes(study, tmp_path):
    built(study, tmp_path)
    first = (tmp_path / "report.zip").read_bytes()
    built(study, tmp_path)
    assert (tmp_path / "report.zip").read_bytes() == first


def test_figures_outside_of_a_data_sets_folder_are_refused(study, tmp_path):
    results, files = study
    (results / "figures").mkdir()
    astray = results / "figures/seed_stability.png"
    astray.write_bytes((results / "one/figures/seed_stability.png").read_bytes())
    with pytest.raises(
        UserError, match=r"figures/seed_stability\.png: expected <data set>/figures/"
    ):
        built((results, [*files, results / "figures"]), tmp_path)


def test_figures_of_no_section_or_no_known_name_are_told(study, tmp_path, capsys):
    results, files = study
    built(study, tmp_path)
    assert "F3." not in (told := capsys.readouterr().out) and "Methods" in told  # F2 of two
    for name in ("seed_stability", "own_picture"):
        path = results / f"three/figures/{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((results / "one/figures/seed_stability.png").read_bytes())
    text = built((results, [*files, results / "three"]), tmp_path)["mine/index.html"].decode()
    assert 'src="three/figures/seed_stability.png"' in text.split('id="methods"')[1]
    astray, unknown, _ = capsys.readouterr().out.splitlines()
    assert "three/figures/seed_stability.png" in astray and "own_picture" not in astray
    assert (
        "under Methods" in astray
        and "## F3. Is it the same samples in the next run? (three)”" in astray
    )
    assert "not on the page" in unknown and unknown.count(".png") == 1
    assert "three/figures/own_picture.png" in unknown


def test_a_report_of_little_says_so(study, tmp_path):
    results, _ = study
    (results / "summary.md").write_text("# Study mine\n\nNothing was found.\n")
    little = [results / "summary.md", results / "config.yaml"]
    page = Page(built((results, little), tmp_path)["mine/index.html"].decode())
    assert page.headings == ["Study mine", "Findings", "Methods", "Configuration"]


def test_what_is_no_part_of_the_study_is_refused(study, tmp_path):
    results, files = study
    with pytest.raises(UserError, match=r"summary\.md is not among them"):
        read_report("mine", results, files[1:])
    with pytest.raises(UserError, match="does not lie in"):
        read_report("mine", results, [*files, tmp_path])


@pytest.mark.parametrize(
    "name", ["../../evil", "..", "<img src=x>", "a/b", "", "c:", ".", "line\nbreak"]
)
def test_a_name_that_no_folder_can_have_is_refused(study, name, tmp_path):
    results, files = study
    words = ["--study", name, "--results", results, "--files", *files]
    with pytest.raises(UserError, match=r"--study: is .*expected letters") as told:
        build_report.main([*map(str, words), "--output", str(tmp_path / "report.zip")])
    assert "\n" not in str(told.value) and not (tmp_path / "report.zip").exists()


def test_files_that_are_not_there_or_no_text_are_told_in_a_line(study, tmp_path):
    results, files = study
    gone = [results / f"{number}.csv" for number in range(12)]
    with pytest.raises(UserError, match=r"--files: there is no .*0\.csv, .* and 2 more; name what"):
        read_report("mine", results, [*files, *gone])
    (results / "summary.md").unlink()
    with pytest.raises(UserError, match=r"--files: there is no .*summary\.md"):
        read_report("mine", results, files)
    (results / "summary.md").write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match=r"summary\.md: is no text in UTF-8"):
        read_report("mine", results, files)


def test_nothing_lands_outside_of_the_studys_folder(study, tmp_path):
    results, files = study
    (results.parent / "evil.csv").write_text("a")
    with pytest.raises(UserError, match="does not lie in"):
        read_report("mine", results, [*files, results / "../evil.csv"])
    snakemake = tmp_path / "snakemake.zip"
    snakemake.write_text("no zip")
    with pytest.raises(UserError, match=r"--workflow: .* is no zip that can be read"):
        built(study, tmp_path, "--workflow", snakemake)
    with zipfile.ZipFile(snakemake, "w") as other:
        other.writestr("report/../../evil.html", "x")
    with pytest.raises(UserError, match=r"--workflow: .* lies outside of its folder"):
        built(study, tmp_path, "--workflow", snakemake)
    assert not (tmp_path / "report.zip").exists()


def test_a_file_that_is_no_run_is_refused_in_one_line(study, tmp_path):
    broken = tmp_path / "run.yaml"
    for text in ("[", "- a", "seed: 0"):
        broken.write_text(text)
        with pytest.raises(UserError, match=r"run\.yaml: .*name run\.yaml of finished runs"):
            built(study, tmp_path, "--runs", broken)
    with pytest.raises(UserError, match="cannot be read"):
        built(study, tmp_path, "--runs", tmp_path / "nowhere.yaml")


def test_html_in_a_summary_is_text():
    lead, (section,) = sections_of(
        "# T\n\n<b>bold</b> **strong**\n\n## A <i>b</i> & `c`\n\n| a |\n| - |\n| <u> |\n"
    )
    assert lead == "<p>&lt;b&gt;bold&lt;/b&gt; <strong>strong</strong></p>\n"
    assert section.title == "A &lt;i&gt;b&lt;/i&gt; &amp; <code>c</code>"
    assert "<td>&lt;u&gt;</td>" in section.body and section.body.startswith(
        '<div class="wide"><table>'
    )


def test_what_may_not_be_concluded_is_marked():
    _, (section,) = sections_of(
        "## A\n\n- **net**: 0.3, and may not be more.\n- An overlap may not be read as a cause.\n- 2 tests are held together.\n"
        "- *Undecided* may not be read as none.\n\n- Note 1 holds here, too.\n"
    )
    assert "limit" not in section.body
    points = section.with_limits_marked().body.split("<li")[1:]
    assert [point.startswith(' class="limit"') for point in points] == [
        False,
        True,
        False,
        True,
        False,
    ]
    assert points[1].count("May not be concluded.") == 1


def test_every_finding_has_its_limits_marked():
    """The words by which they are known are those that findings use."""
    for path in sorted((ROOT / "scripts/retention/findings").glob("*/sentences.py")):
        points = re.findall(r'"- (?:[^"]|"\s*"|"\s*f")*"', path.read_text(encoding="utf-8"))
        bodies = [sections_of(f"## A\n\n{re.sub(chr(34), '', one)}\n")[1][0] for one in points]
        assert any("limit" in body.with_limits_marked().body for body in bodies), path


def test_what_findings_share_stands_before_them_and_they_link_to_it(study, tmp_path):
    html = built(study, tmp_path)["mine/index.html"].decode()
    before, first = html.index('<section id="before">'), html.index('<section id="finding-1">')
    assert before < first and html.count("Note 1</strong>, for F3 and F5") == 1
    assert 'too (see &quot;<a href="#before">Before the findings</a>&quot;).' in html[first:]
    assert "&lt;a href" not in html


def test_no_line_ends_between_a_number_and_its_sign():
    _, (section,) = sections_of("## A\n\n54 % of it, p = 0.02, ρ = −0.1, p < 0.0001, net = a % b\n")
    glued = "54\u00a0% of it, p\u00a0=\u00a00.02, ρ\u00a0=\u00a0−0.1, p\u00a0&lt;\u00a00.0001, net = a % b"
    assert glued in section.body
