"""Fetch an architecture's pretrained weights from the timm hub into one safetensors file."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import timm

from retention.common.digests import digest_tensors
from retention.common.errors import UserError
from retention.common.lists import listed
from retention.common.options import add_map
from retention.common.yaml_files import write_yaml
from retention.training.models import build_model, save_weights, tags_of


def main(argv: Sequence[str] | None = None) -> None:
    """Download through timm, which checks the file, and keep tensors only."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--architecture", required=True)
    add_map(parser, "--definition", "architecture")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--digest", type=Path, help="YAML of the digest of the tensors to write")
    options = parser.parse_args(argv)
    name = options.definition["timm"]
    own = build_model(options.definition, classes=0)  # a wrong name fails before the network
    if not any(own.pretrained_cfg.get(key) for key in ("hf_hub_id", "url", "file")):
        tags = listed(tags_of(name)) or "none"
        raise UserError(
            f"architecture {options.architecture}: timm {timm.__version__} has no weights for "
            f"'{name}' (of this model it has: {tags}); name one of these, or set weights to none or "
            "{file: path}"
        )
    try:
        model = build_model(options.definition, classes=0, pretrained=True)
    except Exception as error:  # the hub client raises many kinds
        text = " ".join(str(error).split())[:300]
        raise UserError(
            f"architecture {options.architecture}: the weights of '{name}' could not be fetched "
            "from the hub; check the network, or download them elsewhere and name the file: "
            f"architecture_definitions.{options.architecture}.weights: {{file: path.safetensors}} "
            f"({type(error).__name__}: {text})"
        ) from error
    configuration = model.pretrained_cfg
    metadata = {
        "model": name,
        "tag": configuration.get("tag") or "",
        "hub_id": configuration.get("hf_hub_id") or "",
        "url": configuration.get("url") or "",
        "license": configuration.get("license") or "",
        "timm": timm.__version__,
    }
    save_weights(options.output, model, metadata)
    if options.digest:
        write_yaml(options.digest, {"sha256": digest_tensors(options.output)})
