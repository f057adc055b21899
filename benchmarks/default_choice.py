"""How well each (retention trace, decay curve) recovers a truth that is known.

Samples have a true rate of being lost, drawn over two orders of magnitude. Four generators turn it into
correctness traces (and coin flips have no dynamics at all):

  absorbing     a sample is lost once, with that hazard, and never comes back
  markov        lost with that hazard, relearned with 0.3 per epoch
  bernoulli     correct in epoch t with probability e^(-rate t), independently
  falling       markov whose hazard falls as 1 / (1 + t / 5): training that settles
  coin flips    correct with a probability of the sample's own, independently of the epoch

Printed for each score: Spearman correlation with the truth, agreement of two independent traces of the
same samples (what another seed would at best give), mean R², and the share of samples with a score.

    python benchmarks/default_choice.py --write
    python benchmarks/default_choice.py --samples 400 --repeats 1
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from record import record
from scipy.stats import spearmanr

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from retention.common.parts import part_names
from retention.dynamics.decay import fit
from retention.dynamics.events import events, hazard
from retention.dynamics.points import points_of

GENERATORS = ("absorbing", "markov", "bernoulli", "falling", "coin flips")
RELEARNED = 0.3
TRACES = ("aligned", "cumulative", "lag", "raw")  # that were candidates
TABLE = Path(__file__).parent / "results" / "default_choice.csv"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--epochs", type=int, default=31)
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--write", action="store_true", help="write the table that the docs show")
    arguments = parser.parse_args()
    rows = []
    for repeat in range(arguments.repeats):
        for generator in GENERATORS:
            draws = np.random.default_rng([repeat, GENERATORS.index(generator)])
            rate = np.exp(draws.uniform(np.log(0.003), np.log(0.3), arguments.samples))
            pair = [simulate(generator, rate, arguments.epochs, draws) for _ in range(2)]
            rows += compare(generator, rate, pair)
    table = pd.DataFrame(rows).groupby(["generator", "score"], sort=False).mean().reset_index()
    print(table.round(3).to_string(index=False))
    if arguments.write:
        TABLE.parent.mkdir(exist_ok=True)
        table.round(4).to_csv(TABLE, index=False)
    settings = {key: getattr(arguments, key) for key in ("samples", "epochs", "repeats")}
    chosen = table[table["score"] == "aligned exponential"].set_index("generator")
    ratios = {f"truth_{name}": chosen.loc[name, "truth"] for name in GENERATORS[:-1]}
    ratios["r_squared_coin_flips"] = chosen.loc["coin flips", "r_squared"]
    record("default_choice", settings, ratios, write=arguments.write)


def simulate(generator: str, rate: np.ndarray, epochs: int, draws) -> np.ndarray:
    """Return bool [N, epochs]; every sample is learned at an epoch of its own, early on."""
    start = draws.geometric(0.4, len(rate)) - 1
    state = np.zeros(len(rate), dtype=bool)
    columns = []
    for epoch in range(epochs):
        age, chance = epoch - start, draws.random(len(rate))
        if generator == "bernoulli":
            state = chance < np.exp(-rate * np.maximum(age, 0))
        elif generator == "coin flips":
            state = chance < 1 - rate / 0.3
        else:
            settled = 1 + np.maximum(age, 0) / 5 if generator == "falling" else 1
            back = 0.0 if generator == "absorbing" else RELEARNED
            state = np.where(state, chance >= rate / settled, chance < back)
            state = np.where(age == 0, True, state)
        columns.append(state & (age >= 0))
    return np.stack(columns, axis=1)


def compare(generator: str, rate: np.ndarray, pair: list[np.ndarray]) -> list[dict]:
    """Return a row per score."""
    rows = []
    for retention in TRACES:
        trace = points_of(retention)
        for curve in part_names("retention.dynamics.curves"):
            tables = [fit(*trace(correct), curve) for correct in pair]
            scores = [table["score"].to_numpy() for table in tables]
            r_squared = np.nanmean([table["r_squared"].mean() for table in tables])
            rows.append(judged(generator, f"{retention} {curve}", rate, scores, r_squared))
    rows.append(judged(generator, "hazard", rate, [hazard(c) for c in pair], np.nan))
    counts = [events(c)[0].sum(axis=1).astype(float) for c in pair]
    rows.append(judged(generator, "forgetting events", rate, counts, np.nan))
    return rows


def judged(generator, score, rate, scores, r_squared) -> dict:
    found = [spearmanr(rate, values, nan_policy="omit").statistic for values in scores]
    agreement = spearmanr(*scores, nan_policy="omit").statistic
    return {
        "generator": generator,
        "score": score,
        "truth": np.mean(found),
        "agreement": agreement,
        "r_squared": r_squared,
        "defined": np.mean([np.isfinite(values).mean() for values in scores]),
    }


if __name__ == "__main__":
    main()
