"""Fine-tune one run and record every sample's trace; resumes where a stopped run was."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

import torch

from retention.common.digests import digest_file, digest_of, digest_sparsely, digest_weights
from retention.common.errors import UserError
from retention.common.options import (
    add_map,
    complete,
    require_faultless,
    without_defaults,
)
from retention.sampling.treatments import complete_treatment, shortest_treatment
from retention.training.finetuning import (
    FineTuning,
    RunNames,
    RunOutputs,
    RunSettings,
)
from retention.training.inputs import add_images, read_images, require_tensors
from retention.training.locking import end_with_snakemake, exclusive, orderly_end
from retention.training.machine import versions
from retention.training.models import choose_device
from retention.training.recipe import complete_recipe
from retention.training.state import RunState

SECTIONS = {
    "definition": "architecture",
    "recipe": "recipe",
    "treatment-definition": "treatment",
    "store": "store",
}


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("study", "dataset", "architecture", "treatment"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--seed", type=int, required=True)
    for name, section in SECTIONS.items():
        add_map(parser, f"--{name}", section)
    add_images(parser)
    parser.add_argument("--weights", type=Path)
    parser.add_argument(
        "--tensors", type=Path, help="YAML of the digest that the weights are held against"
    )
    parser.add_argument("--reviews", type=Path, help="schedule of reviews (schedule_reviews.py)")
    parser.add_argument("--code-version", default="")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--state", type=Path, required=True, help="folder of the unfinished run")
    for name in ("traces", "epochs", "run", "centroids"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    for name in ("probabilities", "final-weights"):
        parser.add_argument(f"--{name}", type=Path)
    return parser.parse_args(argv)


def settings_of(options: argparse.Namespace, device: torch.device) -> RunSettings:
    """Return the run's settings; `UserError` where the definition or its weights are lacking."""
    lacking = [key for key in ("timm", "image_size") if key not in options.definition]
    if lacking:
        raise UserError(
            f"architecture {options.architecture}: --definition lacks {' and '.join(lacking)}; it takes "
            "what config.yaml has under architecture_definitions"
        )
    source = options.definition.get("weights", "none")
    if source != "none" and options.weights is None:
        raise UserError(
            f"architecture {options.architecture}: its weights are '{source}', so --weights must "
            "name a file"
        )
    require_faultless("store", options.store, "--store")
    return RunSettings(
        definition=complete("architecture", options.definition),
        recipe=complete_recipe(options.recipe, device),
        treatment=complete_treatment(options.treatment_definition),
        store=complete("store", options.store),
        weights=None if source == "none" else options.weights,
        code_version=options.code_version,
        reviews=options.reviews,
        commit=os.environ.get("WORKFLOW_COMMIT", ""),
    )


def identity_of(
    options: argparse.Namespace, names: RunNames, settings: RunSettings, device: str
) -> dict[str, str]:
    """Return a digest of each thing that the run's numbers depend on.

    Options at their default are left out: one that is added later makes no other run of it.
    """
    return {
        "run": digest_of(vars(names)),
        "recipe": digest_of(without_defaults("recipe", settings.recipe)),
        "architecture definition": digest_of(without_defaults("architecture", settings.definition)),
        "treatment definition": digest_of(shortest_treatment(settings.treatment)),
        "store": digest_of(without_defaults("store", settings.store)),
        "code version": settings.code_version,
        "package versions": digest_of(versions()),
        "index": digest_file(options.split or options.index),
        "images": digest_file(options.images)
        or digest_file(options.layout) + digest_sparsely(options.pixels),
        "weights": digest_weights(settings.weights),
        "reviews": digest_file(settings.reviews),
        "device": device,
    }


def main(argv: Sequence[str] | None = None) -> None:
    """Train one run from the command line."""
    options = parse(argv)
    end_with_snakemake()
    device = choose_device(options.device)
    settings = settings_of(options, device)
    names = RunNames(
        options.study, options.dataset, options.architecture, options.treatment, options.seed
    )
    if options.tensors and settings.weights:
        require_tensors(options.tensors, settings.weights)
    samples, images = read_images(options)
    outputs = RunOutputs(
        traces=options.traces,
        epochs=options.epochs,
        run=options.run,
        centroids=options.centroids,
        probabilities=options.probabilities,
        final_weights=options.final_weights,
    )
    with exclusive(options.state):
        state = RunState(options.state, identity_of(options, names, settings, device.type))
        run = FineTuning(names, settings, samples, images, device, state)
        with orderly_end(run.progress):
            run.execute(outputs)
