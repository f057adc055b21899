"""The ranking: one row per sample, the label that is most probably wrong first.

Error norm (EL2N): Paul et al., NeurIPS 2021, here its mean over all evaluations. Area under the margin (AUM): Pleiss et al.,
NeurIPS 2020. Confidence: Swayamdipta et al., EMNLP 2020.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from retention.common.errors import UserError
from retention.common.lists import listed
from retention.pages.sheet import Sheet
from retention.pages.suspected import TRAIN

# The statistics that rank samples, and whether the highest or the lowest is suspect.
SCORES = {"error_norm": 1, "confidence": -1, "aum": -1}
# What is read of samples.parquet beside what identifies a sample.
STATISTICS = [*SCORES, "epochs_at_risk", "learned_for_good"]
OF_SAMPLE = ["sample_index", "split", "sample_id", "path", "label", "class_name", "group"]
DIGITS = 12  # means of equal numbers in another order are equal


def suspects(
    sheet: Sheet, said: pd.DataFrame, options: Mapping, duplicates: pd.DataFrame | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rankings of the training samples and of the held-out samples, each [n] rows, worst first.

    sheet: of N samples; said: [N] rows of `suggestions`; options: `score` and `worst_share`; duplicates: duplicates.csv of
    the data set. Columns: docs/suspects.md. Raises `UserError` where no run has the score.
    """
    name = options["score"]
    if not any(name in run.described for run in sheet.runs):
        raise UserError(_lacking(sheet, name))
    training = (sheet.samples["split"] == TRAIN).to_numpy()
    marks = doubles(sheet.samples, duplicates)
    first, second = (
        _ranked(sheet.only(part), said[part], marks[part], options)
        for part in (training, ~training)
    )
    return first, second


def without_score(sheet: Sheet, name: str) -> list[str]:
    """Return the runs that lack a score, in words: they count nowhere in the ranking but in what was predicted."""
    return [
        f"{run.architecture}, seed {run.seed}"
        for run in sheet.runs
        if name not in run.described or not np.isfinite(run.described[name]).any()
    ]


def ended_at_guessing(sheet: Sheet) -> list[str]:
    """Return the runs, in words, that end with no more training samples right than the largest class has."""
    training = (sheet.samples["split"] == TRAIN).to_numpy()
    shares = sheet.samples.loc[training, "label"].value_counts(normalize=True)
    if len(shares) < 2:
        return []
    at_end = {
        f"{run.architecture}, seed {run.seed}": run.described["learned_for_good"][training].notna()
        for run in sheet.runs
        if "learned_for_good" in run.described
    }
    return [name for name, right in at_end.items() if right.mean() <= shares.iloc[0]]


def doubles(samples: pd.DataFrame, duplicates: pd.DataFrame | None) -> np.ndarray:
    """Return for each sample the ids of its duplicates that have another class, `; ` between them, str [N].

    duplicates: rows of digest, sample_id and class_name, those of one image with one digest.
    """
    found: dict[str, list[str]] = {}
    if duplicates is not None:
        for _, same in duplicates.groupby("digest", sort=False):
            for identity, name in zip(same["sample_id"], same["class_name"], strict=True):
                others = same.loc[same["class_name"] != name, "sample_id"]
                found.setdefault(str(identity), []).extend(map(str, others))
    ids = samples["sample_id"]
    return np.array(["; ".join(found.get(identity, ())) for identity in ids], dtype=object)


def in_worst_share(suspicion: np.ndarray, share: float) -> np.ndarray:
    """Return which samples are among a run's most suspect, bool [N]; NaN is never.

    suspicion: float [N], highest first; share: of the N samples that have one, at least one sample. Samples that are tied at
    the border are all left out: which of them belong to it would be by lot.
    """
    known = np.sort(suspicion[np.isfinite(suspicion)])
    count = max(1, round(share * len(known)))
    as_suspect = len(known) - np.searchsorted(known, suspicion, side="left")
    return np.isfinite(suspicion) & (as_suspect <= count)


def _lacking(sheet: Sheet, name: str) -> str:
    known = [other for other in SCORES if any(other in run.described for run in sheet.runs)]
    remedy = (
        f'take another, such as --suspects \'{{"score": "{known[0]}"}}\''
        if known
        else "describe traces that have the column error_norm, confidence or margin"
    )
    runs = listed(f"{run.architecture}, seed {run.seed}" for run in sheet.runs)
    return f"{sheet.dataset}: no run has the score {name} ({runs}); {remedy}"


def _ranked(sheet: Sheet, said: pd.DataFrame, marks: np.ndarray, options: Mapping) -> pd.DataFrame:
    name, sign = options["score"], SCORES[options["score"]]
    scores = _values(sheet, name)
    worst = np.array(
        [in_worst_share(np.round(sign * run, DIGITS), options["worst_share"]) for run in scores]
    )
    table = sheet.samples[OF_SAMPLE].assign(
        score=_mean(scores),
        runs_in_worst_share=worst.sum(axis=0),
        runs=np.isfinite(scores).sum(axis=0),
        worst_share=options["worst_share"],
        **{other: _mean(_values(sheet, other)) for other in SCORES},
        **{column: said[column].to_numpy() for column in said},
        never_learned_share=_mean(_values(sheet, "never_learned")),
        correct_epochs=_mean(_correct_epochs(sheet)),
        duplicates_with_other_label=marks,
        **{
            f"score_{architecture}": _mean(_values(sheet.of(architecture), name))
            for architecture in sheet.architectures
        },
    )
    table = table.iloc[_order(table, sign)].reset_index(drop=True)
    classes = table.groupby("label", sort=False)["label"]
    table.insert(0, "rank", np.arange(1, len(table) + 1))
    table.insert(1, "rank_in_class", classes.cumcount() + 1)
    table.insert(2, "samples_of_class", classes.transform("size"))
    return table


def _order(table: pd.DataFrame, sign: int) -> np.ndarray:
    """Return the rows, most suspect first: by score, then AUM, confidence and correct epochs, lowest first, then as they are.

    Who has no score comes last.
    """
    keys = [-sign * table["score"], table["aum"], table["confidence"], table["correct_epochs"]]
    return np.lexsort([np.round(key.to_numpy(dtype=float), DIGITS) for key in keys[::-1]])


def _values(sheet: Sheet, name: str) -> np.ndarray:
    """Return a column of each run, float [R, N]; NaN where a run lacks it or has no finite value."""
    values = np.array(
        [
            run.described[name].to_numpy(dtype=float)
            if name in run.described
            else np.full(len(sheet), np.nan)
            for run in sheet.runs
        ]
    )
    return np.where(np.isfinite(values), values, np.nan)


def _correct_epochs(sheet: Sheet) -> np.ndarray:
    """Return at how many evaluations each run was right, float [R, N]: those that were at risk, and the last one."""
    at_last = np.isfinite(_values(sheet, "learned_for_good"))
    return _values(sheet, "epochs_at_risk") + at_last


def _mean(values: np.ndarray) -> np.ndarray:
    """Return the mean over the runs that have a value, float [N]; NaN where none has one."""
    known = np.isfinite(values)
    total = np.where(known, values, 0.0).sum(axis=0)
    return np.divide(
        total, known.sum(axis=0), where=known.any(axis=0), out=np.full(values.shape[1], np.nan)
    )
