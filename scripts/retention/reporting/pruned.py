"""What comparisons of pruned runs are called: by the names of their arms, as the column treatment has them."""

import pandas as pd

from retention.common.treatment_names import RANDOM
from retention.reporting.controls import SHUFFLED

LOT, OWN = "random pruning", "same_seed"  # sources of what is kept
# Whose scores say what is kept, as a newcomer reads it; any other source is told without underscores.
WHOSE = {
    OWN: "the run itself",
    "next_seed": "a run of another seed",
    "other_seeds": "runs of other seeds",
    "other_architecture": "another network",
}
KEPT = {"most_forgotten": "forgot most", "least_forgotten": "forgot least"}
ALIKE = ["dataset", "architecture", "keep_fraction"]  # which all arms of a comparison share
KINDS = ("score", "keep")  # which arms share whose scores come from other runs


def in_arms(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows of F8 whose comparisons are `A: arm` or `A: arm minus arm`.

    rows: all of a finding's table, with names or titles; those of the arms are in the column treatment. Where the table lacks
    the arm that is taken off, a comparison keeps the words of the table.
    """
    rows = rows.reindex(columns=list(dict.fromkeys([*rows, "treatment", "source", *ALIKE, *KINDS])))
    told = [_comparison(row, _taken_off(row, rows)) for _, row in rows.iterrows()]
    return rows.assign(comparison=told)


def compared(row: pd.Series) -> tuple[str, str] | None:
    """Return the arms that are compared, the first less the second, with what they keep; None where the row lacks them."""
    first, _, second = (
        str(row["comparison"]).removeprefix(f"{row['architecture']}: ").partition(" minus ")
    )
    if not second or not isinstance(row.get("source"), str) or row.get("keep") not in KEPT:
        return None
    source = row["source"].removesuffix(SHUFFLED)
    whose = WHOSE.get(source, source.replace("_", " "))
    end = KEPT[row["keep"]] + SHUFFLED * row["source"].endswith(SHUFFLED)
    of_other, own = (f"the images that {who} {end}" for who in (whose, WHOSE[OWN]))
    if row["statistic"] == "gain_over_random":
        return f"{first} ({of_other})", second
    return f"{first} ({own})", f"{second} ({of_other})"


def _taken_off(row: pd.Series, rows: pd.DataFrame) -> object:
    """Return the name of the arm that a row takes off, None where it takes off none or none is there."""
    source = row["source"] if isinstance(row["source"], str) else ""
    if row["statistic"] == "gain_over_random":
        return _arm(row, rows, LOT, ALIKE)
    if row["statistic"] == "transfer_loss":
        return _arm(row, rows, OWN + SHUFFLED * source.endswith(SHUFFLED), [*ALIKE, *KINDS])
    if row["statistic"] == "cost_of_pruning":
        of_whole = (rows["keep_fraction"] == 1) & (rows["architecture"] == row["architecture"])
        found = rows.loc[of_whole & (rows["dataset"] == row["dataset"]), "treatment"]
        return found.iloc[0] if len(found) else RANDOM
    return None


def _arm(row: pd.Series, rows: pd.DataFrame, source: str, alike: list[str]) -> object:
    """Return the name of the arm of a source that is like a row's arm otherwise."""
    found = rows[rows["source"] == source]
    for name in alike:
        found = found[found[name] == row[name]]
    return found["treatment"].iloc[0] if len(found) else None


def _comparison(row: pd.Series, second: object) -> str:
    first = row["treatment"]
    if not isinstance(first, str) or (" minus " in str(row["comparison"]) and second is None):
        return _without_underscores(row)
    if row["statistic"] == "transfer_loss":  # the run's own scores less those of another
        first, second = second, first
    return f"{row['architecture']}: {first}" + (f" minus {second}" if second is not None else "")


def _without_underscores(row: pd.Series) -> str:
    """Return the comparison as the table has it, its score and whose it is in words."""
    comparison = str(row["comparison"])
    for name in (row["score"], row["source"]):
        if isinstance(name, str):
            comparison = comparison.replace(name, name.replace("_", " "))
    return comparison
