"""Train an architecture from scratch on a source data set, as a backbone to fine-tune."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import torch

from retention.common.csv_tables import write_csv
from retention.common.digests import digest_tensors
from retention.common.errors import UserError
from retention.common.options import add_map, as_listed
from retention.common.randomness import seed_for
from retention.common.yaml_files import write_yaml
from retention.training.batches import BatchMaker
from retention.training.device import taken_device
from retention.training.inputs import add_images, image_files
from retention.training.locking import end_with_snakemake
from retention.training.machine import prepare_torch, versions
from retention.training.models import (
    build_model,
    normalisation_of,
    save_weights,
)
from retention.training.pretraining import train_from_scratch
from retention.training.recipe import complete_recipe
from retention.training.recipe_checks import pretraining_fault
from retention.training.scratch import nearer
from retention.training.view import complete_definition, view_of


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
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Train the source model from the command line."""
    options = parse(argv)
    end_with_snakemake()
    with taken_device(options.device) as device:
        _train(options, device)


def _train(options: argparse.Namespace, device: torch.device) -> None:
    recipe = complete_recipe(options.recipe, device)
    if fault := pretraining_fault(recipe):
        raise UserError(f"recipe: {fault}")
    definition = complete_definition(options.definition)
    files = image_files(options)
    samples = files.samples()
    prepare_torch(recipe["threads"], device)
    purpose = (options.study, options.source, options.architecture, "pretraining")
    torch.manual_seed(seed_for(*purpose, "initialisation"))
    model = build_model(options.definition, samples.classes)
    if recipe["channels_last"]:
        model = model.to(memory_format=torch.channels_last)
    maker = BatchMaker(
        nearer(files).cache(),
        options.definition["image_size"],
        normalisation_of(model, options.definition),
        device,
        recipe["channels_last"],
        view=view_of(model, definition),
    )
    model = model.to(device)
    model, summaries = train_from_scratch(
        model, samples, maker, recipe, options.definition, purpose
    )
    accuracy = summaries[-1]["test_accuracy"]
    metadata = {
        "study": options.study,
        "source": options.source,
        "architecture": options.architecture,
        "definition": json.dumps(options.definition, sort_keys=True),
        "recipe": json.dumps(as_listed("recipe", recipe), sort_keys=True),
        "versions": json.dumps(versions(), sort_keys=True),
        "test_accuracy": "" if accuracy is None else f"{accuracy:.4f}",
    }
    save_weights(options.output, model, metadata)
    if options.digest:
        write_yaml(options.digest, {"sha256": digest_tensors(options.output)})
    write_csv(options.log_table, pd.DataFrame(summaries))
