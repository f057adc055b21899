"""Rows of findings for the audits, and the verdict on them."""

import pandas as pd

from retention.audits.coherence import audit


def row_of(finding, statistic, estimate, low, high, comparison="a", **columns):
    found = {"finding": finding, "dataset": "d", "comparison": comparison, "statistic": statistic}
    found |= {"architecture": "" if " " in comparison else comparison, "target": "new runs"}
    found |= {"estimate": estimate, "low": low, "high": high, "ceiling": float("nan")}
    return found | columns


def verdict(check, *rows):
    table = audit(pd.DataFrame(rows), top_fraction=0.1)
    found = table[(table["check"] == check) & (table["source"] == "ours")]
    return found["verdict"].item()
