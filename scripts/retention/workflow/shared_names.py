"""Names that studies share: a data set or backbone of one name is one, whichever study asks for it.

What lies in data/ under a name was made from a definition, which Snakemake's records tell. Made again from
another one, it would have the finished studies that stand on it trained anew.
"""

import ast
import json
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping
from os.path import realpath
from pathlib import Path

from retention.common.lists import listed
from retention.workflow.configuration import DESCRIPTIONS
from retention.workflow.own_runs import trained_architectures

RECORDS = Path(".snakemake/metadata")
LONGEST = 254  # letters of a part of a record's path
# What says where the images come from. Another source is another data set, whoever asks for it; of other
# keys a study may say something else as long as no other study stands on the data.
SOURCE = {"adapter", "folder", "table", "package", "loader", "keep_per_class", "name", "parts"}
SOURCE |= {"options", "files"}
PLACES = {"folder", "table"}
BACKBONE = {"timm", "model_kwargs"}


def shared_faults(study: Mapping, config: Mapping, folder: Path) -> Iterator[str]:
    """Yield one line per name under which data/ holds what another definition made.

    study: as `load_study` returns it. folder: where Snakemake runs.
    """
    for name in _used_datasets(config):
        record, now = f"data/raw/{name}/fetched.yaml", study["datasets"][name]
        before, others = made_from(folder, record), _other_studies(folder, config["study"], name)
        keys = _differing(before, now, folder) - DESCRIPTIONS
        stands = (
            others or (folder / "data" / "index" / name).exists()
        )  # else nothing was made of it
        if before is not None and stands and (keys & SOURCE or others) and keys:
            yield _told(f"dataset_definitions.{name}", keys, before, now, record, others)
    for name, weights in _weights(config).items():
        if weights == "hub":
            record, now = f"data/weights/{name}.yaml", study["architectures"][name]
            before = made_from(folder, record)
            keys = _differing(before, now, folder) & BACKBONE
            if before is not None and keys:
                yield _told(f"architecture_definitions.{name}", keys, before, now, record, ())


def spelled_as_before(study: Mapping, config: Mapping, folder: Path) -> dict[str, dict]:
    """Return the data sets' definitions, a folder or table in the words that it was made from.

    The same place written otherwise, relative or by a link, repeats no job so.
    """
    definitions = dict(study["datasets"])
    for name in _used_datasets(config):
        now, before = definitions[name], made_from(folder, f"data/raw/{name}/fetched.yaml") or {}
        same = (PLACES & {*now} & {*before}) - _differing(before, now, folder)
        definitions[name] = now | {key: before[key] for key in same}
    return definitions


def _used_datasets(config: Mapping) -> list[str]:
    """Return the study's data sets and those that its backbones are pretrained on."""
    weights = _weights(config).values()
    sources = [w["source"] for w in weights if isinstance(w, Mapping) and "source" in w]
    return [*dict.fromkeys([*config["datasets"], *sources])]


def _weights(config: Mapping) -> dict:
    names = trained_architectures(config)
    return {name: config["architecture_definitions"][name]["weights"] for name in names}


def made_from(folder: Path, output: str) -> dict | None:
    """Return the definition that a file was made from, `None` where it is not there or nothing tells."""
    if not (folder / output).exists():
        return None
    try:
        parameters = json.loads((folder / _record(output)).read_text(encoding="utf-8"))["params"]
        texts = [ast.literal_eval(parameter) for parameter in parameters]
        return next(json.loads(text) for text in texts if text.startswith("{"))
    except (OSError, ValueError, SyntaxError, KeyError, TypeError, AttributeError, StopIteration):
        return None


def _record(output: str) -> Path:
    """Return where Snakemake keeps what it knows of an output."""
    name = urlsafe_b64encode(output.encode()).decode()
    parts = [name[start : start + LONGEST] for start in range(0, len(name), LONGEST)]
    return RECORDS.joinpath(*(f"@{part}" for part in parts[:-1]), parts[-1])


def _other_studies(folder: Path, study: str, dataset: str) -> list[str]:
    """Return the other studies that have split a data set."""
    found = (folder / "results").glob("*/*/split.yaml")
    names = {path.parts[-3] for path in found if path.parts[-2] == dataset}
    return sorted(names - {study})


def _differing(before: Mapping | None, now: Mapping, folder: Path) -> set[str]:
    """Return the keys of which two definitions say something else, none where nothing was before."""
    if before is None:
        return set()
    one, other = _resolved(before, folder), _resolved(now, folder)
    return {key for key in {*one, *other} if one.get(key) != other.get(key)}


def _resolved(definition: Mapping, folder: Path) -> dict:
    """Return a definition with its paths as the system has them, and files by what their content must be."""
    found = dict(definition)
    for key in PLACES & {*found}:
        found[key] = realpath(folder / found[key])
    if "files" in found:  # mirrors may change
        found["files"] = {
            name: file.get("sha256") or file.get("md5") or file.get("urls")
            for name, file in found["files"].items()
        }
    return found


def _told(
    place: str, keys: set[str], before: Mapping, now: Mapping, record: str, others: Iterable[str]
) -> str:
    users = f" and the results of {listed(others)}" if others else ""
    return (
        f"{place}: data/ has something else under this name, {_said(before, keys)}, here {_said(now, keys)}; "
        f"give it another name, or delete {record} to replace the other{users}"
    )


def _said(definition: Mapping, keys: set[str]) -> str:
    """Return what a definition says of some keys, in words."""
    return ", ".join(f"{key} {_short(definition.get(key))}" for key in sorted(keys))


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 200 else f"{text[:200]} …"
