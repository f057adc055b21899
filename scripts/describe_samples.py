"""Describe what happened to each sample of a run: forgetting events, hazard, decay constants.

Works on any traces: the columns `sample_index` or `sample_id`, `epoch` and `correct` are enough.
"""

import argparse
import json
from pathlib import Path

from retention.analysis.description import confusions, describe, epoch_counts
from retention.analysis.trace_table import read_traces
from retention.common.errors import UserError, run_command
from retention.common.storage import read_parquet, write_csv, write_parquet

DEFAULT = {"fits": [{"retention": "aligned", "curve": "exponential"}], "shuffles": 100}
IDENTITY = ("study", "dataset", "architecture", "treatment", "seed")


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--traces", type=Path, required=True)
    parser.add_argument("--index", type=Path, help="adds sample_id, label, class_name, group")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--confusions", type=Path, help="needs --index")
    parser.add_argument("--epoch-counts", type=Path, help="CSV of what happened at each epoch")
    parser.add_argument("--dynamics", type=json.loads, default=DEFAULT, help="JSON")
    arguments = parser.parse_args(argv)
    if arguments.confusions and not arguments.index:
        raise UserError("--confusions: needs the labels of --index")
    if arguments.output.suffix != ".parquet":
        raise UserError(f"--output: {arguments.output} is written as Parquet; end it in .parquet")
    traces = read_traces(arguments.traces)
    samples = describe(traces, arguments.dynamics["fits"], arguments.dynamics.get("shuffles", 100))
    if arguments.index:
        names = ["sample_index", "sample_id", "label", "class_name", "group"]
        index = read_parquet(arguments.index, names)
        unknown = sorted(set(samples["sample_index"]) - set(index["sample_index"]))
        if unknown:
            raise UserError(f"{arguments.index}: lacks sample_index {unknown[:5]} of the traces")
        samples = samples.merge(index, on="sample_index", how="left", validate="1:1")
    metadata = {key: traces.metadata[key] for key in IDENTITY if key in traces.metadata}
    write_parquet(arguments.output, samples, metadata | {"epochs": str(traces.epochs[-1])})
    if arguments.confusions:
        write_csv(arguments.confusions, confusions(traces, samples["label"].to_numpy()))
    if arguments.epoch_counts:
        write_csv(arguments.epoch_counts, epoch_counts(traces))
    ever = int((samples["forgetting_events"] > 0).sum())
    print(f"{arguments.output}: {len(samples)} samples, {ever} were ever forgotten")


if __name__ == "__main__":
    run_command(main)
