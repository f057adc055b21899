"""What a run or a pretraining depends on: its names, its settings, the files that it reads, the machine."""

from collections.abc import Mapping

from retention.common.digests import digest_file, digest_of, digest_sparsely, digest_weights
from retention.common.options import without_defaults
from retention.training.inputs import ImageFiles
from retention.training.machine import versions
from retention.training.recipe import digest_of_recipe
from retention.training.run import BackboneNames, RunNames, RunSettings


def identity_of(
    names: RunNames | BackboneNames,
    settings: RunSettings,
    files: ImageFiles,
    device: str,
    treatment: Mapping,
) -> dict[str, str]:
    """Return a digest of each thing that the run's numbers depend on.

    device: its kind, `cpu` or `cuda`. treatment: the settings' one as `shortest_treatment` returns it; a pretraining has
    none, and knows no sampler. Options at their default are left out: one that is added later makes
    no other run of it.
    """
    return {
        "run": digest_of(vars(names)),
        "recipe": digest_of_recipe(settings.recipe),
        "architecture definition": digest_of(without_defaults("architecture", settings.definition)),
        "treatment definition": digest_of(treatment),
        "store": digest_of(without_defaults("store", settings.store)),
        "code version": settings.code_version,
        "package versions": digest_of(versions()),
        "index": digest_file(files.split or files.index),
        "images": digest_file(files.images)
        or digest_file(files.layout) + digest_sparsely(files.pixels),
        "weights": digest_weights(settings.weights),
        "reviews": digest_file(settings.reviews),
        "device": device,
    }
