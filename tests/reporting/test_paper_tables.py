"""Tables for a paper: the numbers of the findings, whole in the CSV and rounded in print."""

import re

import numpy as np
import pandas as pd
import pytest
from finding_rows import STABLE, agreement, comparison, hazards, overlap, rows_of, run_of, table_of
from hostile import NAMES, TURNED, Page
from latex_cells import cells_of, shown, split
from markdown_it import MarkdownIt

from retention.common.csv_tables import write_csv
from retention.common.parts import load_part, part_names
from retention.reporting.latex import BETWEEN, LINE, as_latex, columns_of
from retention.reporting.study_tables import study_tables

FORMS = ("csv", "md", "tex")


def markdown_cells(text):
    """Return the cells of a table in Markdown, as a page shows them, heading first."""
    html = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    page = Page(html)
    assert page.tags <= {"p", "table", "thead", "tbody", "tr", "th", "td"}
    lines = re.findall(r"<tr>(.*?)</tr>", html, re.DOTALL)
    return [[Page(cell).text for cell in re.findall(r"<t[hd].*?>(.*?)</t", line)] for line in lines]


def test_the_printed_numbers_are_those_of_the_finding_rounded():
    table = table_of("seed_stability", STABLE)
    wanted = [
        [
            "Comparison",
            "Statistic",
            "Estimate",
            "95 % interval",
            "Chance",
            "Corrected p",
            "n",
            "Verdict",
        ]
    ]
    for name, p in (("cnn", "0.058"), ("vit", "< 0.0001")):
        of_it = STABLE[(STABLE["comparison"] == name) & (STABLE["statistic"] != "seeds_needed")]
        for place, row in enumerate(of_it.to_dict("records")):
            is_first = place == 0
            ends = f"{row['low']:.2f} to {row['high']:.2f}".replace("-", "−") if is_first else "–"
            verdict = (
                (
                    "distinguishable from chance"
                    if row["p_corrected"] < 0.05
                    else "not distinguishable from chance"
                )
                if is_first
                else ""
            )
            words = "Spearman's ρ of two seeds" if is_first else "odd against even epochs of a run"
            wanted.append(
                [
                    name if is_first else "",
                    words,
                    f"{row['estimate']:.2f}",
                    ends,
                    f"{row['chance']:.2f}",
                    p if is_first else "–",
                    "100",
                    verdict,
                ]
            )
    assert markdown_cells(table.as_markdown()) == wanted
    in_latex = [[cell.replace("−", "-") for cell in line] for line in wanted]  # as $-$
    assert cells_of(table.as_latex()) == in_latex


def test_the_csv_has_every_digit_and_columns_that_are_words(tmp_path):
    table = table_of("seed_stability", STABLE)
    write_csv(tmp_path / "table.csv", table.values)
    read = pd.read_csv(tmp_path / "table.csv")
    kept = STABLE[STABLE["statistic"] != "seeds_needed"]
    for heading, column in {
        "Estimate": "estimate", "95 % interval, low": "low", "95 % interval, high": "high",
        "Chance": "chance", "Corrected p": "p_corrected", "n": "n",
    }.items():  # fmt: skip
        np.testing.assert_array_equal(read[heading].to_numpy(float), kept[column].to_numpy(float))
    assert read["Data set"].tolist() == ["d"] * 4  # though of one it is not printed
    assert not [name for name in read.columns if "_" in name]
    assert read["n"].dtype == np.int64


def test_rows_stand_together_by_comparison_and_data_sets_are_printed_where_there_are_several():
    more = STABLE.assign(dataset="e")
    table = table_of("seed_stability", STABLE.iloc[::-1], more)
    assert markdown_cells(table.as_markdown())[0][0] == "Data set"
    assert table.printed["Data set"].tolist() == ["d", "", "", "", "e", "", "", ""]
    assert table.printed["Comparison"].tolist() == ["vit", "", "cnn", "", "vit", "", "cnn", ""]
    assert table.values["Comparison"].tolist() == ["vit", "vit", "cnn", "cnn"] * 2
    one = rows_of("seed_stability", *agreement("cnn", 0.5, 0.01))
    both = table_of("seed_stability", one, one.assign(dataset="e"))
    assert both.printed["Comparison"].tolist() == ["cnn", "", "cnn", ""]


def test_treatments_have_their_margin_and_verdict():
    table = table_of(
        "treatment_comparison",
        rows_of(
            "treatment_comparison",
            comparison("reviews", "random", "undecided", 0.02, 0.4),
            comparison("shuffled", "random", "better", 0.004, 0.01, note="smaller than the margin"),
        ),
    )
    heading, first, second = markdown_cells(table.as_markdown())
    assert heading[-5:] == [
        "Margin",
        "90 % interval",
        "Smallest detectable difference",
        "Verdict",
        "Note",
    ]
    assert first[-5:] == ["±0.01", "0.015 to 0.025", "0.050", "undecided", ""]
    assert second[-5:] == ["±0.01", "−0.001 to 0.009", "0.050", "better", "smaller than the margin"]
    assert "Chance" not in heading
    assert table.values["Margin"].tolist() == [0.01, 0.01]


def test_what_too_few_forgot_is_not_printed_as_told():
    few = overlap("cnn", "vit", 0.4, 0.001, expected_in_both=1.0)
    lots = overlap("vit", "vit", 0.4, 0.001, note="degenerate: up to 6 of 10 places given by lot")
    table = table_of("architecture_overlap", rows_of("architecture_overlap", few, lots))
    assert table.printed["Verdict"].tolist() == [
        "too few forgotten to tell",
        "distinguishable from chance",
    ]
    assert table.printed["Note"].tolist() == ["", "degenerate: up to 6 of 10 places given by lot"]


def test_the_order_is_that_of_a_paper():
    paper = pd.DataFrame(
        {
            "finding": ["seed_stability"], "dataset": ["d"], "architecture": ["cnn"], "statistic": ["spearman"],
            "reported": ["about 0.01"], "estimate": [0.41], "low": [-0.1], "high": [0.9],
            "verdict": ["consistent"], "reason": ["prediction interval for 3 seeds (assumed)"],
        }
    )  # fmt: skip
    classes = rows_of("class_forgetting", *hazards("cnn", 0.1, 0.2))
    data = {
        "d": (
            pd.DataFrame({"train": [8, 2], "test": [2, 0]}),
            pd.DataFrame({"across_splits": [True, False]}),
        )
    }
    tables = study_tables(pd.concat([STABLE, classes]), paper, [run_of("cnn", 0)], data)
    assert [table.name for table in tables] == [
        "paper_comparison", "seed_stability", "class_forgetting", "class_hazards", "accuracy", "data",
    ]  # fmt: skip
    assert [table.name for table in study_tables(STABLE)] == ["seed_stability"]
    beside, held = tables[0], tables[-1]
    assert markdown_cells(beside.as_markdown())[1] == [
        "F3", "cnn", "Spearman's ρ of two seeds", "about 0.01", "0.41", "−0.10 to 0.90", "consistent",
    ]  # fmt: skip
    assert beside.caption.endswith("Of each row: prediction interval for 3 seeds (assumed).")
    assert markdown_cells(held.as_markdown())[1] == ["d", "2", "10", "2", "5.0", "1"]


def test_accuracies_are_means_and_deviations_over_the_runs():
    values = {"cnn": [0.7, 0.8, 0.85], "vit": [0.9, 0.95]}
    runs = [
        run_of(name, seed, final_test_accuracy=value)
        for name, found in values.items()
        for seed, value in enumerate(found)
    ]
    runs = [run_of("cnn", 0, "reviews", final_test_accuracy=0.5), *runs]
    table = table_of("accuracy", STABLE, runs=runs)
    lines = markdown_cells(table.as_markdown())[1:]
    assert [line[:3] for line in lines] == [
        ["d", "cnn", "random"],
        ["", "", "reviews"],
        ["", "vit", "random"],
    ]
    for line, found in zip(lines, ([0.7, 0.8, 0.85], [0.5], [0.9, 0.95]), strict=True):
        mean = sum(found) / len(found)
        squares = sum((value - mean) ** 2 for value in found)
        spread = f" ± {(squares / (len(found) - 1)) ** 0.5:.3f}" if len(found) > 1 else ""
        assert line[6] == f"{mean:.3f}{spread}"
        assert line[4] == str(len(found))


def test_a_hundred_classes_go_over_several_pages():
    draws = np.random.default_rng(0).uniform(0.01, 0.3, (2, 100))
    rows = rows_of("class_forgetting", *hazards("cnn", *draws[0]), *hazards("vit", *draws[1]))
    table = table_of("class_hazards", rows)
    text = table.as_latex()
    assert r"\begin{longtable}" in text and r"\endhead" in text and r"\begin{table}" not in text
    cells = cells_of(text)
    assert len(table.printed) == 200
    assert table.printed["Hazard"].tolist() == [f"{value:.3f}" for value in draws.T.ravel()]
    assert [line[3] for line in cells if line[0] == "7"] == [f"{draws[0, 7]:.3f}"]


@pytest.mark.parametrize("name", [*NAMES, TURNED[0]])
def test_hostile_names_are_read_whole_in_markdown_and_latex(name):
    expected = TURNED[1] if name == TURNED[0] else name
    rows = rows_of("seed_stability", *agreement(name, 0.5, 0.01), dataset=name)
    classes = [row | {"comparison": f"cnn: {name}"} for row in hazards("cnn", 0.1)]
    classes = rows_of("class_forgetting", *classes, dataset=name)
    runs = [run_of(name, 0, name, dataset=name)]
    for table in study_tables(pd.concat([rows, classes]), runs=runs):
        if table.name == "class_forgetting":
            continue  # it has no row of classes
        for cells in (markdown_cells(table.as_markdown()), cells_of(table.as_latex())):
            assert expected in [cell for line in cells for cell in line], table.name
        caption = re.search(r"\\caption\{(.*)\}", table.as_latex())[1]
        assert shown(caption.split(r"} \label")[0]) == shown(as_latex(table.caption))


@pytest.mark.parametrize(
    "text", ["é", "e\u0301", "日本", "-- a ---", "[x]", "* a", "a & b", r"\\[2cm]", "a\nb", ""]
)
def test_a_text_is_set_as_it_is_written(text):
    written = as_latex(text)
    assert shown(written) == " ".join(text.replace("e\u0301", "é").splitlines())
    assert "\n" not in written and len(split(written)) == 1


def test_the_reader_of_latex_refuses_what_tex_would_take_for_a_command():
    for wrong in ("a_b", "50 %", "a & b", "{x", "$x", r"\foo", "a^2", "~", "--"):
        with pytest.raises((AssertionError, KeyError)):
            shown(wrong)
    with pytest.raises(AssertionError):
        cells_of("\\toprule\na \\\\\n\\midrule\n[b] \\\\\n\\bottomrule")


def test_our_own_words_are_set_in_every_engine():
    for name in part_names("retention.findings"):
        printed = load_part("retention.findings", name, "printed").PRINTED
        for words in (*printed.statistics.values(), printed.note, *printed.without):
            assert as_latex(words).isascii(), words
            assert "_" not in words


def test_caption_and_label_are_there():
    text = table_of("seed_stability", STABLE).as_latex()
    assert r"\label{tab:seed_stability}" in text
    assert r"\caption{Is it the same samples in the next run? (F3, d). p is corrected" in text
    for rule in (r"\toprule", r"\midrule", r"\bottomrule"):
        assert text.count(rule) == 1


def test_no_line_is_wider_than_a_page():
    cells = pd.DataFrame(
        {
            "Comparison": ["x" * 60, "y"],
            "Statistic": ["z" * 50, ""],
            "A long heading": ["1", "2"],
            "Note": ["w" * 90, ""],
        }
    )
    kinds = columns_of(cells, frozenset(["A long heading"]))
    widths = [float(width) for width in re.findall(r"p\{([\d.]+)", " ".join(kinds))]
    assert len(widths) == 4
    assert sum(widths) + 4 * BETWEEN / LINE == pytest.approx(1, abs=0.02)
    assert columns_of(cells.map(lambda cell: cell[:3]), frozenset(["A long heading"])) == [
        "l",
        "l",
        "r",
        "l",
    ]


def test_titles_stand_in_the_place_of_names_but_not_of_classes():
    titles = {"cnn": "ResNet & co", "reviews": "spaced reviews"}
    rows = pd.concat(
        [
            rows_of("architecture_overlap", overlap("cnn", "vit", 0.3, 0.01)),
            rows_of(
                "class_forgetting",
                *[row | {"comparison": "cnn: cnn"} for row in hazards("cnn", 0.1)],
            ),
            rows_of("treatment_comparison", comparison("reviews", "random", "undecided")),
        ]
    )
    tables = {table.name: table.printed for table in study_tables(rows, titles=titles)}
    assert tables["architecture_overlap"]["Comparison"].tolist() == ["ResNet & co vs vit"]
    assert tables["class_hazards"][["Class", "Architecture"]].to_numpy().tolist() == [
        ["cnn", "ResNet & co"]
    ]
    assert tables["treatment_comparison"]["Comparison"].tolist() == [
        "vit: spaced reviews minus random"
    ]


def test_the_correlation_of_an_architectures_seeds_is_printed_once():
    """F3 tests it; F1 prints what two architectures have alone, and overlaps of both kinds."""
    pairs = [overlap(*names, 0.3, 0.01) for names in (("cnn", "cnn"), ("cnn", "vit"))]
    correlated = [row | {"statistic": "spearman"} for row in pairs]
    table = table_of("architecture_overlap", rows_of("architecture_overlap", *pairs, *correlated))
    printed = table.values[["Comparison", "Statistic"]].to_numpy().tolist()
    assert printed == [
        ["cnn vs cnn", "Jaccard overlap, different seeds"],
        ["cnn vs vit", "Jaccard overlap, different seeds"],
        ["cnn vs vit", "Spearman's ρ of the scores"],
    ]


def test_two_names_with_one_title_stay_two():
    tables = study_tables(STABLE, titles={"cnn": "net", "vit": "net"})
    assert tables[0].printed["Comparison"].tolist() == ["net (cnn)", "", "net (vit)", ""]


@pytest.mark.parametrize("form", ["md", "tex"])
def test_a_finding_of_which_nothing_is_printed_says_so(form):
    rows = rows_of(
        "ensemble_coverage",
        {"statistic": "coverage_any", "split": "train", "comparison": "a + a", "estimate": 0.9},
    )
    table = table_of("ensemble_coverage", rows)
    text = table.as_markdown() if form == "md" else table.as_latex()
    assert "The finding has no row to print." in text
    assert len(cells_of(text) if form == "tex" else markdown_cells(text)) == 1


def test_an_ensemble_stands_beside_a_single_run_and_beside_independent_errors():
    shared = {"split": "test", "size": 2, "comparison": "a + b", "estimate": 0.9, "n": 40}
    told = {
        "coverage_any": {"chance": 0.7, "ceiling": 0.95},
        "double_fault": {"chance": 0.03},
        "error_correlation": {"chance": 0.0},
        "difference_any_from_better": {"chance": 0.0, "comparison": "a + b minus a + a"},
    }
    rows = rows_of(
        "ensemble_coverage",
        *({**shared, "statistic": name, **row} for name, row in told.items()),
    )
    table = table_of("ensemble_coverage", rows)
    assert not {"Chance", "Noise ceiling"} & set(table.printed)
    assert table.printed["A single run"].tolist() == ["0.700", "–", "–", "–"]
    assert table.printed["Independent errors"].tolist() == ["0.950", "0.030", "0.000", "–"]


def test_pruned_comparisons_have_no_underscores_of_options():
    row = {"statistic": "gain_over_random", "score": "decay_constant", "source": "next_seed"}
    text = "vit: keep 0.5, most forgotten by decay_constant of next_seed minus random pruning"
    rows = rows_of(
        "pruning_transfer", comparison("a", "b", "undecided") | row | {"comparison": text}
    )
    assert table_of("pruning_transfer", rows).printed["Comparison"].tolist() == [
        "vit: keep 0.5, most forgotten by decay constant of next seed minus random pruning"
    ]


def test_a_finding_that_declares_nothing_has_all_its_rows_in_words(monkeypatch, tmp_path):
    from retention.reporting import printed

    monkeypatch.setattr(printed, "SOURCES", tmp_path)
    table = table_of("seed_stability", STABLE)
    assert set(table.values["Statistic"]) == {"spearman", "split half", "seeds needed"}
