"""Train an architecture from scratch, as a backbone to fine-tune; resumes where a stopped training was."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch

from retention.common.errors import UserError
from retention.common.options import add_map
from retention.training.device import add_on_other_device, taken_device
from retention.training.identity import identity_of
from retention.training.inputs import add_images, image_files
from retention.training.locking import end_with_snakemake, exclusive, orderly_end
from retention.training.pretraining import Pretraining
from retention.training.recipe import complete_recipe
from retention.training.recipe_checks import pretraining_fault
from retention.training.run import BackboneNames, BackboneOutputs, RunSettings
from retention.training.scratch import nearer
from retention.training.state import RunState, recipe_begun
from retention.training.view import complete_definition


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("study", "source", "architecture"):
        parser.add_argument(f"--{name}", required=True)
    add_map(parser, "--definition", "architecture")
    add_map(parser, "--recipe", "recipe")
    add_images(parser)
    for name in ("output", "log-table"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--digest", type=Path, help="YAML of the digest of the tensors to write")
    parser.add_argument("--code-version", default="")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    add_on_other_device(parser)
    parser.add_argument(
        "--state", type=Path, required=True, help="folder of the unfinished training"
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Train the source model from the command line."""
    options = parse(argv)
    end_with_snakemake()
    with taken_device(options.device) as device:
        _train(options, device)


def settings_of(options: argparse.Namespace, device: torch.device) -> RunSettings:
    """Return how to train; `UserError` where recipe or definition have faults."""
    recipe = complete_recipe(options.recipe, device, recipe_begun(options.state))
    if fault := pretraining_fault(recipe):
        raise UserError(f"recipe: {fault}")
    return RunSettings(
        definition=complete_definition(options.definition),
        recipe=recipe,
        treatment={},
        store={},
        weights=None,
        code_version=options.code_version,
        on_other_device=options.on_other_device,
    )


def _train(options: argparse.Namespace, device: torch.device) -> None:
    settings, files = settings_of(options, device), image_files(options)
    names = BackboneNames(options.study, options.source, options.architecture)
    samples, images = files.samples(), nearer(files).cache()
    with exclusive(options.state):
        state = RunState(options.state, identity_of(names, settings, files, device.type, {}))
        training = Pretraining(names, settings, samples, images, device, state)
        with orderly_end(training.progress):
            training.execute(BackboneOutputs(options.output, options.log_table, options.digest))
