"""What the site is made of is whole: its contents, its links and anchors, and the pages that are made of sources."""

import importlib.util
import json
import re
import sys
from posixpath import normpath

import pytest
from sources import ROOT

from retention.common.errors import UserError
from retention.common.options import defaults
from retention.common.parts import part_names

sys.path.insert(0, str(ROOT / "docs"))
import make_site
from website import commands, findings, library, options, pages
from website.contents import read_contents, toctree
from website.links import anchors_of, links_of, moved, resolved

PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "examples").rglob("*.md")),
    *sorted((ROOT / "published").rglob("*.md")),
]
ENTRY = re.compile(r"^`([\w.]+)`\n: ((?:.+\n)+)", re.MULTILINE)


def name(page):
    return page.relative_to(ROOT).as_posix()


def broken(folder, text, page):
    """Return the links of a page below a folder that lead to no file, or to no heading of a page."""
    wrong = []
    for target in links_of(text):
        file, anchor = resolved(page, target)
        path = folder / file
        known = anchors_of(path.read_text("utf-8")) if path.is_file() and anchor else set()
        if not path.exists() or (anchor and anchor not in known):
            wrong.append(target)
    return wrong


@pytest.fixture(scope="module")
def staged(tmp_path_factory):
    """The site's pages, but for the help of commands, which imports all that they need."""
    folder = tmp_path_factory.mktemp("site") / "pages"
    with pytest.MonkeyPatch.context() as patch:
        place, _ = pages.MADE["scripts/retention/commands"]
        without = {"scripts/retention/commands": (place, lambda root: "# Commands\n")}
        patch.setattr(pages, "MADE", {**pages.MADE, **without})
        pages.stage(ROOT, folder)
    return folder


@pytest.fixture(scope="module")
def configuration():
    """Section of the page → option → what the page says of it."""
    _, *parts = options.study(ROOT).split("\n## ")
    return {part.partition("\n")[0]: dict(ENTRY.findall(part)) for part in parts}


def test_the_contents_name_every_page():
    entries = [entry for one in read_contents(ROOT / "docs/README.md") for entry in one.entries]
    listed = {normpath(f"docs/{entry.target.partition('#')[0]}") for entry in entries}
    listed |= {name(path) for path in (ROOT / "docs/decisions").glob("[0-9]*.md")}
    listed |= {name(path) for path in (ROOT / "docs/findings").glob("f[0-9]*.md")}
    assert {name(page) for page in PAGES} - listed == {"docs/README.md"}
    whole = [entry.target for entry in entries if entry.is_page]
    assert len(whole) == len({*whole})


@pytest.mark.parametrize(("folder", "named"), [("decisions", "[0-9]*.md"), ("findings", "f*.md")])
def test_the_page_of_a_folder_names_them_all(staged, folder, named):
    text = (staged / folder / "index.md").read_text(encoding="utf-8")
    files = sorted((ROOT / "docs" / folder).glob(named))
    listed = re.findall(r"^(.+) <(.+)>$", text, re.MULTILINE)
    assert listed == [(file.read_text("utf-8").splitlines()[0][2:], file.stem) for file in files]


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_and_anchors_lead_somewhere_in_the_repository(page):
    assert broken(ROOT, page.read_text(encoding="utf-8"), name(page)) == []


def test_links_and_anchors_lead_somewhere_on_the_site(staged):
    found = sorted(staged.rglob("*.md"))
    assert len(found) >= len(PAGES)
    for path in found:
        page = path.relative_to(staged).as_posix()
        assert broken(staged, path.read_text(encoding="utf-8"), page) == [], page


def test_every_page_of_the_site_is_in_its_navigation(staged):
    """A page that no toctree names is found by nobody who reads on."""
    reached, waiting = set(), ["index"]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        text = (staged / f"{page}.md").read_text(encoding="utf-8")
        folder = page.rpartition("/")[0]
        for tree in re.findall(r"^```\{toctree\}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            linked = [
                normpath(f"{folder}/{one}".lstrip("/")) for one in re.findall(r"<(.+)>", tree)
            ]
            waiting += [one for one in linked if one not in reached]
    assert reached == {
        path.relative_to(staged).with_suffix("").as_posix() for path in staged.rglob("*.md")
    }


def test_a_broken_link_is_found(tmp_path):
    (tmp_path / "a.md").write_text("# A heading: `b.csv`, and (c)\n\n## Twice\n\n## Twice\n")
    text = "[1](a.md#a-heading-bcsv-and-c) [2](a.md#twice-1) [3](a.md#twice-2) [4](b.md) [5](#no)\n"
    (tmp_path / "c.md").write_text(f"{text}\n```md\n[6](nowhere.md)\n```\n")
    assert broken(tmp_path, (tmp_path / "c.md").read_text(), "c.md") == [
        "a.md#twice-2",
        "b.md",
        "#no",
    ]


def test_links_are_moved_with_their_pages(tmp_path):
    for file in ("docs/a.md", "docs/deep/b.md", "README.md", "data/t.csv"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text("")
    places = {"docs/a.md": "a.md", "docs/deep/b.md": "deep/b.md", "README.md": "index.md"}
    text = "[r](../../README.md#x) [a](../a.md) [t](../../data/t.csv) [w](https://x.y) [h](#h)\n```\n[a](../a.md)\n```\n"
    found, files = moved(text, "docs/deep/b.md", places, tmp_path)
    assert found == (
        "[r](../index.md#x) [a](../a.md) [t](../files/data/t.csv) [w](https://x.y) [h](#h)\n```\n[a](../a.md)\n```\n"
    )
    assert files == {"data/t.csv"}
    with pytest.raises(
        ValueError, match=r"docs/a\.md: links to gone\.md, which is no page and no file"
    ):
        moved("[g](gone.md)", "docs/a.md", places, tmp_path)


def test_a_line_of_the_contents_that_is_no_entry_is_refused(tmp_path):
    (tmp_path / "README.md").write_text("# C\n\n## How to\n\n- [a](a.md): one.\n- [b](b.md) two\n")
    with pytest.raises(ValueError, match="section How to holds a line that is no entry; write"):
        read_contents(tmp_path / "README.md")
    assert toctree([("A", "a")]) == "```{toctree}\n:hidden:\n\nA <a>\n```\n"


def test_a_section_takes_no_pages_place(tmp_path):
    for name in pages.OF_ROOT:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("# A page\n")
    (tmp_path / "docs/how_to.md").write_text("# A page\n")
    (tmp_path / "docs/README.md").write_text("# C\n\n## How to\n\n- [a](how_to.md): one.\n")
    with pytest.raises(ValueError, match=r"section How to would take the place of how_to\.md"):
        pages.stage(tmp_path, tmp_path / "pages")


def test_the_first_page_is_the_readme(staged):
    front = (staged / "index.md").read_text(encoding="utf-8")
    lines = [
        line for line in (ROOT / "README.md").read_text("utf-8").splitlines() if "](" not in line
    ]
    assert [line for line in lines if line not in front.splitlines()] == []


def every_key(schema):
    """Yield the names of all keys that a schema describes, however deep, but those of a slot."""
    if isinstance(schema, dict):
        keys = schema.get("properties", {})
        if set(keys) == {"value"} or set(keys) == {"value", "source"}:
            return
        yield from keys
        schema = list(schema.values())
    for part in schema if isinstance(schema, list) else ():
        yield from every_key(part)


def raw(schema):
    file = ROOT / f"scripts/retention/schemas/{schema}.schema.json"
    return json.loads(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("schema", "page", "told_otherwise"),
    [
        # layers of recipes and of weights are told in a sentence
        (
            "config",
            options.study,
            {
                "default",
                "datasets",
                "architectures",
                "runs",
                "pretraining",
                "file",
                "key",
                "source",
            },
        ),
        ("datasets", options.data_sets, set()),
        ("site", options.cluster, set()),
    ],
)
def test_every_option_is_on_its_page(schema, page, told_otherwise):
    text = page(ROOT)
    told = {key.rpartition(".")[2] for key, _ in ENTRY.findall(text)}
    told |= {*re.findall(r"^## (\w+)$", text, re.MULTILINE)}  # a map has a section of its own
    keys = {*every_key(raw(schema))}
    assert len(keys) > 10
    assert keys - told - told_otherwise == set()


def test_an_option_of_a_cluster_says_what_its_comment_says():
    told = dict(ENTRY.findall(options.cluster(ROOT)))
    assert told["max_hours"].startswith(
        "no job asks for more: the time limit of the shorter partition."
    )
    silent = [key for key, words in told.items() if words.startswith("*Values")]
    assert silent == ["gpu_qos", "gpu_constraint"]  # the key before them tells of all three


def flat(options_of, before=""):
    for key, value in options_of.items():
        if isinstance(value, dict) and value:
            yield from flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


@pytest.mark.parametrize(
    ("section", "heading"),
    [
        ("recipe", "recipes"),
        ("architecture", "architecture_definitions"),
        *((name, name) for name in ("store", "dynamics", "statistics")),
    ],
)
def test_defaults_are_those_of_the_code(configuration, section, heading):
    for key, value in flat(defaults(section)):
        written = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        assert f"*Default:* `{written}`." in configuration[heading][key], key


def test_options_say_what_they_are_and_take(configuration):
    assert configuration["statistics"]["top_fraction"] == (
        "most-forgotten share of the samples compared between runs.\\\n"
        "  *Values:* a number, more than 0 and less than 1. *Default:* `0.1`.\n"
    )
    assert "*Default:* that of `learning_rate`." in configuration["recipes"]["head_learning_rate"]
    assert "*Since:* 0.2.0." in configuration["recipes"]["ema_decay"]
    told = {key: told for section in configuration.values() for key, told in section.items()}
    silent = [key for key, words in told.items() if words.startswith("*Values")]
    assert silent == ["normalisation.mean", "normalisation.std"]  # the map around them is told


@pytest.mark.parametrize("room", library.PUBLIC)
def test_every_public_name_of_a_room_is_on_its_page(room):
    page = library.room_page(ROOT, room)
    named = set(re.findall(r"^`+\{py:(?:function|class)\} (\w+)", page, re.MULTILINE))
    folder, expected = ROOT / "scripts/retention" / room, set()
    for path in folder.rglob("*.py"):
        if not any(part.startswith("_") for part in path.relative_to(folder).parts):
            expected |= set(
                re.findall(r"^(?:def|class) ([^_\W]\w*)", path.read_text("utf-8"), re.M)
            )
    assert expected and named == expected
    assert not re.findall(r"\{py:\w+\} _", page)


def test_a_function_is_shown_with_what_it_returns():
    page = library.room_page(ROOT, "dynamics")
    assert "## events\n\n```{py:module} retention.dynamics.events\n```" in page
    assert "\n```{py:function} first_learned(correct: np.ndarray) -> np.ndarray\nReturn " in page


def test_what_is_no_code_in_a_docstring_is_no_html():
    assert library.as_markdown("a_<b>, `c_<d>`\n    e < f\n") == "a_\\<b>, `c_<d>`\n    e < f\n"


def test_every_finding_has_its_rows():
    page = findings.page(ROOT)
    numbers = [int(number) for number in re.findall(r"^## F(\d+): ", page, re.MULTILINE)]
    assert numbers == list(range(1, len(part_names("retention.findings")) + 1))
    assert page.count("| comparison | statistic |") == len(numbers)


def test_a_command_is_shown_as_its_help_tells():
    told, program = commands.help_of("build_gallery"), sys.argv[0]
    assert told.startswith("usage: retention build_gallery [-h] --samples")
    assert (
        "\n\n    python scripts/build_gallery.py --samples runs/*.parquet --output gallery\n\n"
        in told
    )
    assert max(map(len, told.splitlines())) <= commands.WIDTH
    paragraph = next(one for one in told.split("\n\n") if one.startswith("Open index.html"))
    assert min(map(len, paragraph.splitlines()[:-1])) > commands.WIDTH - 20  # filled anew
    assert program == sys.argv[0]


@pytest.mark.slow
def test_every_command_is_shown():
    page = commands.page(ROOT)
    shown = re.findall(r"^## (\w+)\n\n```text\nusage: retention (\w+) ", page, re.MULTILINE)
    assert shown == [(name, name) for name in part_names("retention.commands")]


def test_what_is_not_installed_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "myst_parser" else 1
    )
    with pytest.raises(UserError) as told:
        make_site.build_html(tmp_path, tmp_path)
    assert str(told.value) == (
        "docs: needs myst_parser, which is not installed; pip install -r requirements-dev.txt"
    )


needs_sphinx = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in make_site.NEEDED),
    reason="Sphinx or its theme is not installed (requirements-dev.txt)",
)


@needs_sphinx
@pytest.mark.slow
def test_the_site_is_built_without_warnings(tmp_path):
    html = make_site.build(tmp_path).parent
    made = {
        path.relative_to(tmp_path / "pages").with_suffix("")
        for path in (tmp_path / "pages").rglob("*.md")
    }
    assert {path.relative_to(html).with_suffix("") for path in html.rglob("*.html")} >= made
    text = (html / "reference/configuration.html").read_text(encoding="utf-8")
    assert "most-forgotten share of the samples compared between runs" in text
    outside = re.compile(r"<(?:script|link|img)[^>]* (?:src|href)=\"(?:https?:)?//")
    assert [path for path in html.rglob("*.html") if outside.search(path.read_text("utf-8"))] == []


@needs_sphinx
@pytest.mark.slow
@pytest.mark.parametrize("link", ["[b](b.md)", "[a](#no-such-heading)"])
def test_a_broken_link_ends_the_build(tmp_path, link, capfd):
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages/index.md").write_text(f"# A\n\n{link}\n")
    with pytest.raises(UserError, match="the site was not built; mend what Sphinx names above"):
        make_site.build_html(tmp_path / "pages", tmp_path)
    assert "index.md:3" in capfd.readouterr().err
