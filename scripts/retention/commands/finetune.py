"""Fine-tune one run and record every sample's trace; resumes where a stopped run was."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

import torch

from retention.common.errors import UserError
from retention.common.options import add_map, complete, require_faultless
from retention.sampling.treatments import complete_treatment, shortest_treatment
from retention.training.device import add_on_other_device, taken_device
from retention.training.finetuning import FineTuning
from retention.training.identity import identity_of
from retention.training.inputs import add_images, image_files, require_tensors
from retention.training.locking import end_with_snakemake, exclusive, orderly_end
from retention.training.models import choose_device
from retention.training.recipe import complete_recipe
from retention.training.recipe_checks import mixing_fault
from retention.training.run import RunNames, RunOutputs, RunSettings
from retention.training.scratch import nearer
from retention.training.state import RunState, recipe_begun
from retention.training.view import complete_definition

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
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    add_on_other_device(parser)
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
    recipe = complete_recipe(options.recipe, device, recipe_begun(options.state))
    treatment = complete_treatment(options.treatment_definition)
    if fault := mixing_fault(recipe, options.treatment, treatment):
        raise UserError(f"recipe: {fault}")
    return RunSettings(
        definition=complete_definition(options.definition),
        recipe=recipe,
        treatment=treatment,
        store=complete("store", options.store),
        weights=None if source == "none" else options.weights,
        code_version=options.code_version,
        reviews=options.reviews,
        commit=os.environ.get("WORKFLOW_COMMIT", ""),
        on_other_device=options.on_other_device,
    )


def names_of(options: argparse.Namespace) -> RunNames:
    """Return which run it is."""
    return RunNames(
        options.study, options.dataset, options.architecture, options.treatment, options.seed
    )


def _require_weights(options: argparse.Namespace, settings: RunSettings) -> None:
    if options.tensors and settings.weights:
        require_tensors(options.tensors, settings.weights)


def identity(argv: Sequence[str] | None = None) -> dict[str, str]:
    """Return a digest of each thing that a run depends on, and train nothing.

    `adopt` asks it of each version of these sources. Raises `UserError` where the run would be refused.
    """
    options = parse(argv)
    device = choose_device(options.device)
    settings, files = settings_of(options, device), image_files(options)
    _require_weights(options, settings)
    files.samples()
    treatment = shortest_treatment(settings.treatment)
    return identity_of(names_of(options), settings, files, device.type, treatment)


def main(argv: Sequence[str] | None = None) -> None:
    """Train one run from the command line."""
    options = parse(argv)
    end_with_snakemake()
    with taken_device(options.device) as device:
        _train(options, device)


def _train(options: argparse.Namespace, device: torch.device) -> None:
    settings, names, files = settings_of(options, device), names_of(options), image_files(options)
    _require_weights(options, settings)
    samples, images = files.samples(), nearer(files).cache()
    outputs = RunOutputs(
        traces=options.traces,
        epochs=options.epochs,
        run=options.run,
        centroids=options.centroids,
        probabilities=options.probabilities,
        final_weights=options.final_weights,
    )
    with exclusive(options.state):
        treatment = shortest_treatment(settings.treatment)
        own = identity_of(names, settings, files, device.type, treatment)
        state = RunState(options.state, own)
        run = FineTuning(names, settings, samples, images, device, state)
        with orderly_end(run.progress):
            run.execute(outputs)
