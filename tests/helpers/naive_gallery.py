"""What a gallery should say, counted by hand: epoch by epoch, run by run."""

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

from shown_runs import Study


@dataclass(frozen=True)
class Told:
    """What one run says of a sample; hazard: None where it never was at risk."""

    architecture: str
    seed: int
    sample_index: int
    hazard: float | None
    events: int
    confidence: float
    learned: bool
    at_risk: int


def by_hand(study: Study) -> list[Told]:
    """Return what runs say of training samples, counted epoch by epoch."""
    samples = study.samples[study.samples["split"] == "train"]["sample_index"].to_dict()
    return [
        _told(*run, index, list(correct[place]), float(study.confidence[run][place]))
        for run, correct in study.correct.items()
        for place, index in samples.items()
    ]


def _told(architecture: str, seed: int, index: int, trace: list[bool], confidence: float) -> Told:
    events = at_risk = 0
    for now, then in pairwise(trace):
        at_risk += bool(now)
        events += bool(now and not then)
    hazard = (events + 0.5) / (at_risk + 1) if at_risk else None
    return Told(architecture, seed, index, hazard, events, confidence, any(trace), at_risk)


def of_sample(told: list[Told]) -> dict:
    """Return what several runs say of one sample."""
    hazards = [run.hazard for run in told if run.hazard is not None]
    return {
        "hazard": sum(hazards) / len(hazards) if hazards else float("inf"),
        "events": sum(run.events for run in told),
        "confidence": sum(run.confidence for run in told) / len(told),
        "lost": sum(run.learned and run.events > 0 for run in told),
        "unlearned": sum(not run.learned for run in told),
        "runs": len(told),
    }


def stated(study: Study, architecture: str | None = None) -> dict[int, dict]:
    """Return what the runs of an architecture say, of all runs where none is named, by sample_index."""
    found: dict[int, list[Told]] = {}
    for told in by_hand(study):
        if architecture in (None, told.architecture):
            found.setdefault(told.sample_index, []).append(told)
    return {index: of_sample(told) for index, told in found.items()}


def class_hazard(study: Study, architecture: str, label: int) -> float:
    """Return forgetting events of a class per epoch at which one could happen, the mean over seeds."""
    samples = study.samples.set_index("sample_index")["label"]
    by_seed: dict[int, list[Told]] = {}
    for told in by_hand(study):
        if told.architecture == architecture and samples[told.sample_index] == label:
            by_seed.setdefault(told.seed, []).append(told)
    rates = [
        sum(told.events for told in runs) / sum(told.at_risk for told in runs)
        for runs in by_seed.values()
    ]
    return sum(rates) / len(rates)


ORDERS = {
    "most forgotten": (
        lambda s: s["lost"] > 0,
        lambda s: (
            (2 * s["unlearned"] >= s["runs"], -round(s["hazard"], 9)),
            -s["events"],
            round(s["confidence"], 9),
        ),
    ),
    "never forgotten": (
        lambda s: s["lost"] == 0 and s["unlearned"] == 0,
        lambda s: (round(s["hazard"], 9), -round(s["confidence"], 9)),
    ),
    "never learned": (
        lambda s: s["unlearned"] == s["runs"],
        lambda s: (round(s["confidence"], 9),),
    ),
}


def taken_by_hand(study: Study, architecture: str, place: int) -> str:
    """Return in words what an architecture's runs took a sample for when they lost it."""
    said, classes = Counter(), study.samples.groupby("label")["class_name"].first()
    for (name, seed), correct in study.correct.items():
        if name == architecture:
            known = any(
                found[place].any() for run, found in study.correct.items() if run[0] == name
            )
            for epoch, right in enumerate(correct[place]):
                if not right and (not known or (epoch and correct[place][epoch - 1])):
                    said[study.predicted[name, seed][place][epoch]] += 1
    most = sorted(label for label, count in said.items() if count == max(said.values()))
    if not most:
        return ""
    names = " or ".join(classes[label] for label in most)
    if len(most) > 2:
        more = f" and {len(most) - 10} more" if len(most) > 10 else ""
        names = (
            f"several classes ({len(most)}) {', '.join(classes[one] for one in most[:10])}{more}"
        )
    of = f"at {said[most[0]]} of {said.total()}"
    return f"taken for {names} {'each ' if len(most) > 1 else ''}{of}"
