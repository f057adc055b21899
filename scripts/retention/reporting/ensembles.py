"""What is shown of ensembles, in figures and tables alike."""

import pandas as pd


def without_majority_of_two(finding: pd.DataFrame) -> pd.DataFrame:
    """Return a finding's rows without those of a majority of two: it means that both are right."""
    of_majority = finding["statistic"].str.contains("majority")
    return finding[~(of_majority & (finding["size"] == 2))]
