"""Whether runs that were trained elsewhere have the epochs of the other runs of their data set."""

from collections.abc import Iterator, Mapping

from retention.common.lists import listed
from retention.common.options import complete
from retention.workflow.own_runs import KEY, Run, own_runs_of, told, trained_runs
from retention.workflow.recipes import recipe_for
from retention.workflow.trace_files import trace_file


def other_epochs(config: Mapping) -> Iterator[str]:
    """Yield a line per data set whose runs were not all recorded at the same epochs, as pages and findings need."""
    epochs: dict[str, dict[tuple[int, int], Run]] = {}
    for run, entry in own_runs_of(config).items():
        found = trace_file(entry["traces"])
        if found.first is not None and found.last is not None:
            epochs.setdefault(run[0], {}).setdefault((found.first, found.last), run)
    for run in trained_runs(config):
        if run[0] in epochs:
            recipe = complete("recipe", recipe_for(config["recipes"], run[0], run[1]))
            epochs[run[0]].setdefault((0, recipe["epochs"]), run)
    for dataset, runs in epochs.items():
        if len(runs) > 1:
            ranges = [f"{first} to {last} ({told(run)})" for (first, last), run in runs.items()]
            yield (
                f"{KEY}: runs of {dataset} have other epochs: {listed(ranges)}; runs of a data set are compared epoch by "
                "epoch: set recipes.default.epochs for those that are trained here, or make two data sets of it"
            )
