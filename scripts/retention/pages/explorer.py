"""The explorer: one page with every sample's statistics, traces and thumbnail, to plot, filter, search and download.

What the page's script reads lies in it as JSON: texts as they are, numbers as `packed` float64 [N], traces as
`packed_bits` [R, N, E]. So the numbers are those of samples.parquet to the last digit.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
import yaml

from retention.common.escapes import escaped
from retention.data.thumbnails import Thumbnails
from retention.pages.chosen import order_of_forgetting, standing_of
from retention.pages.inlined import inline, plot_library, policy_of, table_library
from retention.pages.packing import as_json, packed, packed_bits
from retention.pages.rendering import TEMPLATES, render
from retention.pages.reviewing import review_data, with_first
from retention.pages.scatter import scatter
from retention.pages.sheet import (
    FORGOTTEN,
    NEVER_FORGOTTEN,
    NEVER_LEARNED,
    Sheet,
)
from retention.pages.sprites import sprites_of
from retention.pages.thinning import AT_MOST, representatives
from retention.reporting.look import Look

STATUSES = [
    NEVER_LEARNED,
    FORGOTTEN,
    NEVER_FORGOTTEN,
]  # the page's script has colours in this order
MARKERS = ["square", "triangle", "circle"]  # of these statuses
UNNAMED = "(no name)"
LANGUAGE = {  # of the table
    "lengthMenu": "_MENU_ rows a page",
    "info": "_START_ to _END_ of _TOTAL_ rows",
    "infoEmpty": "no rows",
    "emptyTable": "No sample passes the filters and the search.",
}
# What is plotted first, as far as the runs have it: the data map of Swayamdipta et al. (EMNLP 2020), else two that all have.
FIRST = {"x": ("variability", "epochs_at_risk"), "y": ("confidence", "forgetting_events")}


def explorer_page(
    sheet: Sheet,
    look: Look,
    thumbnails: Thumbnails | None = None,
    at_most: int = AT_MOST,
    suspected: pd.DataFrame | None = None,
) -> str:
    """Return explorer.html of a data set; of more than `at_most` samples representatives, as the page then says.

    suspected: rows of `read_suspected`, with which the page lets a person review labels; the first of them are shown always.
    """
    places = representatives(sheet, at_most)
    if suspected is not None:
        places = with_first(places, suspected, at_most)
    shown = sheet.only(places) if len(places) < len(sheet) else sheet
    data = page_data(shown, look, thumbnails)
    if suspected is not None:
        data |= review_data(shown.samples, suspected, data)
    data["escapes"] = _escapes(
        [*data["classes"], *data["splits"], *data["sample_id"], *data["path"]]
    )
    plot, bokeh = plot_library()
    tables, style, of_tables = table_library()
    own = (TEMPLATES / "explorer.js").read_text(encoding="utf-8")
    scripts = [inline(script) for script in (plot, tables, own)]
    return render(
        "explorer.html.j2",
        title=f"Explorer of {sheet.dataset}",
        data=data,
        json=as_json(data),
        scripts=scripts,
        table_style=style,
        policy=policy_of(scripts),
        libraries=[bokeh, *of_tables],
        count=len(shown),
        of_all=len(sheet),
        options=_options(data),
        first=_first(data),
        lacking=lacking_statistics(sheet),
    )


def page_data(sheet: Sheet, look: Look, thumbnails: Thumbnails | None = None) -> dict:
    """Return what the page's script reads: texts, and arrays as `packed` text.

    `choices` are what an axis shows a statistic of: an architecture's runs, of which it takes means, or one run.
    """
    sheet = in_order(sheet, look)
    statistics = shown_statistics(sheet)
    classes = class_names(sheet)
    samples = sheet.samples
    splits = sorted(set(samples["split"]), key=lambda name: (name != "train", name))
    return {
        "dataset": sheet.dataset,
        "plot": scatter(),
        "language": LANGUAGE,
        "review": None,
        "labels": list(classes),
        "classes": list(classes.values()),
        "splits": splits,
        "statuses": STATUSES,
        "markers": MARKERS,
        "statistics": statistics,
        "choices": [
            choice | choice_data(sheet, choice["runs"], statistics)
            for choice in _choices(sheet, look)
        ],
        "runs": [
            {"title": escaped(look.title(run.architecture)), "seed": run.seed} for run in sheet.runs
        ],
        "sample_index": samples["sample_index"].tolist(),
        "sample_id": samples["sample_id"].tolist(),
        "path": samples["path"].tolist(),
        "class_of": [list(classes).index(label) for label in samples["label"].tolist()],
        "split_of": [splits.index(name) for name in samples["split"]],
        "times_lost": sheet.statistic("forgetting_events").sum(axis=0).astype(int).tolist(),
        "order_of_forgetting": order_of_forgetting(
            standing_of(sheet), (samples["split"] == "train").to_numpy()
        ).tolist(),
        "traces": traces_data(sheet, classes),
        "sprites": thumbnails
        and sprites_of(thumbnails, samples["sample_index"].tolist()).for_page(),
    }


def in_order(sheet: Sheet, look: Look) -> Sheet:
    """Return a sheet whose runs are in the order of a look's architectures, then by seed."""
    order = look.ordered(sheet.architectures)
    runs = sorted(sheet.runs, key=lambda run: (order.index(run.architecture), run.seed))
    return Sheet(sheet.dataset, sheet.samples, tuple(runs))


def choice_data(sheet: Sheet, runs: Sequence[int], statistics: Iterable[str]) -> dict:
    """Return of some runs (places) the statistics, means over those that have a finite value, and the statuses.

    Where none has a finite value, it is what the first says. Forgotten is what any run forgets, never learned what no
    run learns; status is the place in `STATUSES`, uint8 [N].
    """
    some = Sheet(sheet.dataset, sheet.samples, tuple(sheet.runs[run] for run in runs))
    values = {}
    for name in statistics:
        mean, first = some.mean(name), some.statistic(name)[0]
        values[name] = packed(np.where(np.isfinite(mean), mean, first))
    found = some.status()
    never, lost = (found == NEVER_LEARNED).all(axis=0), (found == FORGOTTEN).any(axis=0)
    status = np.select([never, lost], [0, 1], 2).astype(np.uint8)
    return {"values": values, "status": packed(status)}


def known_statistics() -> dict[str, dict[str, str]]:
    """Return title, unit where it has one, and definition of the statistics that pages show, by name, in their order."""
    text = (TEMPLATES / "sample_statistics.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(text)


def shown_statistics(sheet: Sheet) -> dict[str, dict[str, str]]:
    """Return title, unit and definition of the statistics that every run of a sheet has, by name."""
    return {
        name: {"title": found["title"], "unit": found.get("unit", "")}
        | {"definition": found.get("shown", found["definition"])}
        for name, found in known_statistics().items()
        if all(name in run.described for run in sheet.runs)
    }


def lacking_statistics(sheet: Sheet) -> list[str]:
    """Return the titles of the statistics that some run of a sheet lacks."""
    known = known_statistics()
    return [known[name]["title"] for name in known if name not in shown_statistics(sheet)]


def class_names(sheet: Sheet) -> dict[int, str]:
    """Return the classes' names by label, ascending; a label that is only predicted is called by its number."""
    names = dict(zip(sheet.samples["label"], sheet.samples["class_name"], strict=True))
    histories = sheet.histories
    if histories is not None and histories.predicted is not None:
        names = {int(label): str(label) for label in np.unique(histories.predicted)} | names
    return {int(label): names[label] for label in sorted(names)}


def traces_data(sheet: Sheet, classes: dict[int, str]) -> dict | None:
    """Return epochs, correctness and what samples were taken for when lost; None where traces are unknown.

    `taken`: by place of the sample, by place of the run, pairs of a name and the text between it and the next one, the
    most frequent first; False where the traces do not say what was predicted.
    """
    histories = sheet.histories
    if histories is None:
        return None
    return {
        "epochs": histories.epochs.tolist(),
        "correct": packed_bits(histories.correct),
        "taken": histories.predicted is not None
        and _taken(histories.correct, histories.predicted, classes),
    }


def _taken(
    correct: np.ndarray, predicted: np.ndarray, classes: dict[int, str]
) -> dict[int, dict[int, list[tuple[str, str]]]]:
    """Return what samples were predicted to be where they were right at one epoch and wrong at the next."""
    run, sample, epoch = np.nonzero(correct[:, :, :-1] & ~correct[:, :, 1:])
    label = predicted[run, sample, epoch + 1]
    counts = Counter(zip(sample.tolist(), run.tolist(), label.tolist(), strict=True))
    names: dict[int, dict[int, list[tuple[str, int]]]] = {}
    for (of, by, label), times in sorted(counts.items(), key=lambda found: (-found[1], found[0])):
        names.setdefault(of, {}).setdefault(by, []).append((classes[label], times))
    return {
        of: {by: _with_times(found) for by, found in runs.items()} for of, runs in names.items()
    }


def _with_times(names: Sequence[tuple[str, int]]) -> list[tuple[str, str]]:
    """Return names, each with what follows it: how often where it is more than once, and a comma before the next."""
    after = [f" ({times}×)" if times > 1 else "" for _, times in names]
    commas = [", "] * (len(names) - 1) + [""]
    return [
        (name, times + comma) for (name, _), times, comma in zip(names, after, commas, strict=True)
    ]


def _choices(sheet: Sheet, look: Look) -> list[dict]:
    """Return architectures, then single runs of those that have several: places in the sheet's runs, title and name."""
    whole, single = [], []
    for name in look.ordered(sheet.architectures):
        places = [place for place, run in enumerate(sheet.runs) if run.architecture == name]
        each = [_choice(look, name, [place], f"seed {sheet.runs[place].seed}") for place in places]
        if len(each) > 1:
            seeds = f"{len(each)} seeds"
            whole.append(_choice(look, name, places, f"mean of {seeds}", seeds, whole=True))
            single += each
        else:
            whole += [one | {"whole": True} for one in each]
    return whole + single


def _choice(
    look: Look, name: str, runs: list[int], what: str, group: str = "", whole: bool = False
) -> dict:
    """Return a choice: `title` of its values, `group` for its statuses, on the page and in what it downloads."""
    title = escaped(look.title(name))
    texts = {"title": f"{title}, {what}", "group": f"{title}, {group or what}"}
    return {"runs": runs, "whole": whole, **texts}


def _options(data: dict) -> dict[str, list[tuple[object, str]]]:
    """Return what the page's lists offer: values and texts."""
    statistics = [(name, found["title"]) for name, found in data["statistics"].items()]
    numbered = {key: list(enumerate(data[key])) for key in ("classes", "splits", "statuses")}
    choices = [(place, choice["title"]) for place, choice in enumerate(data["choices"])]
    return {"statistics": statistics, "choices": choices, **numbered}


def _escapes(texts: Iterable[str]) -> list[tuple[str, str]]:
    """Return the texts that a page shows otherwise than they are, each with what it shows, and "" among them."""
    return [
        ("", UNNAMED),
        *((text, shown) for text in sorted({*texts}) if (shown := escaped(text)) != text),
    ]


def _first(data: dict) -> dict[str, str]:
    """Return the name of the statistic that each axis shows first."""
    return {
        axis: next((name for name in names if name in data["statistics"]), "forgetting_events")
        for axis, names in FIRST.items()
    }
