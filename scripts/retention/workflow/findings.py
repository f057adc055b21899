"""Which findings a study can make from its treatments, and why it can not make the others."""

from collections.abc import Mapping

from retention.sampling.treatments import complete_treatment


def compared_treatments(config: Mapping) -> list[str]:
    """Return the treatments that treatment_comparison reads: random and all that prune nothing."""
    return [name for name in config["treatments"] if "keep_fraction" not in _whole(config, name)]


def pruned_treatments(config: Mapping) -> list[str]:
    """Return the treatments that pruning_transfer reads: random and all that prune."""
    pruned = [name for name in config["treatments"] if "keep_fraction" in _whole(config, name)]
    return ["random", *pruned]


def described_treatments(config: Mapping) -> list[str]:
    """Return the treatments whose samples some finding reads."""
    readers = {"treatment_comparison": compared_treatments, "pruning_transfer": pruned_treatments}
    made = set(config["findings"]) - set(left_out(config))
    read = {name for finding in made & set(readers) for name in readers[finding](config)}
    return [name for name in config["treatments"] if name in read | {"random"}]


def unread_treatments(config: Mapping) -> list[str]:
    """Return one line per reason for which listed treatments are in no result, naming them.

    Only the target `runs` trains these.
    """
    unread: dict[str, list[str]] = {}
    impossible, read = left_out(config), described_treatments(config)
    for name in config["treatments"]:
        if name in read:
            continue
        pruned = "keep_fraction" in _whole(config, name)
        finding = "pruning_transfer" if pruned else "treatment_comparison"
        why = (
            f"is left out: {impossible[finding]}" if finding in impossible else "is not in findings"
        )
        unread.setdefault(f"{finding}, which would read it, {why}", []).append(name)
    return [
        f"treatments: only `snakemake runs` trains {', '.join(names)}; {reason}"
        for reason, names in unread.items()
    ]


def left_out(config: Mapping) -> dict[str, str]:
    """Return the findings asked for that the study can not make, each with the reason in one line."""
    reasons = {
        "ensemble_coverage": _no_ensembles(config),
        "treatment_comparison": _nothing_to_compare(config),
        "pruning_transfer": _nothing_pruned(config),
    }
    return {name: reasons[name] for name in config["findings"] if reasons.get(name)}


def _whole(config: Mapping, name: str) -> dict:
    return complete_treatment(config["treatment_definitions"][name])


def _no_ensembles(config: Mapping) -> str:
    if config["store"]["probabilities"] == "none":
        return "it averages probabilities, and store.probabilities is none"
    if len(config["architectures"]) * len(config["seeds"]) < 2:
        return "an ensemble needs two runs, by another seed or another architecture"
    return ""


def _nothing_to_compare(config: Mapping) -> str:
    if len(compared_treatments(config)) < 2:
        return "treatments has none to compare with random, such as spaced_repetition"
    return ""


def _nothing_pruned(config: Mapping) -> str:
    pruned = [_whole(config, name) for name in pruned_treatments(config)[1:]]
    by_lot = {found["keep_fraction"] for found in pruned if found["prune_by"] == "random"}
    scored = {found["keep_fraction"] for found in pruned if found["prune_by"] != "random"}
    if not pruned:
        return "treatments has no pruned one, such as keep_50_random and keep_50_next_seed"
    if not by_lot & scored:
        return (
            "no pruned treatment stands beside random pruning of its keep_fraction, such as "
            "keep_50_next_seed beside keep_50_random"
        )
    return ""
