"""Runs by lot whose scores, predictions and probabilities are known, and their ranking by the command."""

import json

import numpy as np
from shown_runs import drawn_study, write_study

from retention.commands import rank_suspects
from retention.common.csv_tables import read_csv
from retention.common.parquet_tables import read_metadata, read_parquet, write_parquet
from retention.pages.suspected import WORDS

RUNS = (("vit", 1), ("net", 0), ("vit", 0))
MEASURES = ("error_norm", "aum", "confidence")


class Files:
    """A study by lot on disk, with what its runs say of each sample in arrays: rows as `samples`, by split and index."""

    def __init__(self, folder, runs=RUNS, stored=0, **drawn):
        study = drawn_study(runs=runs, **drawn)
        self.runs, self.folder = list(runs), folder
        self.paths = write_study(study, folder)
        order = study.samples.sort_values(["split", "sample_index"]).index
        self.samples = study.samples.loc[order].reset_index(drop=True)
        self.correct = {run: study.correct[run][order] for run in runs}
        self.predicted = {run: study.predicted[run][order] for run in runs}
        draws, count = np.random.default_rng(3), len(self.samples)
        classes = self.samples["label"].max() + 1
        self.values = {
            run: {name: np.round(draws.normal(size=count), 1) for name in MEASURES} for run in runs
        }
        for place, run in enumerate(runs):
            self._add(self.paths["samples"][place], self.values[run])
        self.stored = {}
        self.paths["probabilities"] = []
        for run in runs if stored else ():
            values = draws.dirichlet(np.ones(classes), (stored, count)).astype("<f2")
            self._make_last_agree(values[-1], run)
            self.stored[run] = values
            self.paths["probabilities"].append(folder / f"probabilities_{len(self.stored)}.npy")
            np.save(self.paths["probabilities"][-1], values)

    def _add(self, path, values):
        table = read_parquet(path)
        place = self.samples.reset_index().set_index("sample_index")["index"]
        rows = place.loc[table["sample_index"]].to_numpy()
        added = {name: column[rows] for name, column in values.items()}
        write_parquet(path, table.assign(**added), read_metadata(path))

    def _make_last_agree(self, last, run):
        """Let the last evaluation be right where the run is."""
        last *= np.float16(0.2)
        for row, label in enumerate(self.samples["label"]):
            other = (label + 1) % last.shape[1]
            last[row, label if self.correct[run][row, -1] else other] = 0.9

    def words(self, *names):
        return [w for n in names if self.paths[n] for w in (f"--{n}", *map(str, self.paths[n]))]

    def rank(self, *names, **options):
        """Run the command; return both rankings and the classes as they are read back."""
        outputs = {n: self.folder / f"{n}.csv" for n in ("output", "held-out", "classes")}
        words = self.words("samples", *names)
        for name, path in outputs.items():
            words += [f"--{name}", str(path)]
        rank_suspects.main([*words, "--suspects", json.dumps(options)])
        return [read_csv(path, {*WORDS, "ranking"}) for path in outputs.values()]
