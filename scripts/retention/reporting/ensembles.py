"""What is shown of ensembles, in figures and tables alike."""

import pandas as pd


def without_majority_of_two(finding: pd.DataFrame) -> pd.DataFrame:
    """Return a finding's rows without those of a majority of two: it means that both are right."""
    of_majority = finding["statistic"].str.contains("majority")
    return finding[~(of_majority & (finding["size"] == 2))]


def beside_a_single_run(finding: pd.DataFrame) -> pd.DataFrame:
    """Return a finding's rows whose chance is a single run's share alone, and whose ceiling is what independent errors give.

    In the finding's table chance is the latter where members are wrong together, and 0 of differences.
    """
    together = finding["statistic"].isin(["double_fault", "disagreement", "error_correlation"])
    ceiling = finding["ceiling"].where(~together, finding["chance"])
    is_of_run = finding["statistic"].str.startswith("coverage_")
    return finding.assign(ceiling=ceiling, chance=finding["chance"].where(is_of_run))
