"""What adoption chooses, checks and writes, step by step on hand-made jobs."""

import json
import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import yaml
from adoption import finetune_job, graph, job, tree
from safetensors.numpy import save_file
from snakemake.exceptions import LockException

from retention.common.digests import digest_file, digest_tensors
from retention.common.errors import UserError
from retention.training.state_file import read_state, write_state
from retention.workflow.adoption.adopting import Checked, check
from retention.workflow.adoption.backbones import backbone_faults, needs_training
from retention.workflow.adoption.candidates import Candidate, finished_runs, passed_over
from retention.workflow.adoption.fetched import require_fetched
from retention.workflow.adoption.graph import Graph
from retention.workflow.adoption.leaving_out import leave_out
from retention.workflow.adoption.old_version import made_by_old
from retention.workflow.adoption.records import adopt_state, put_in_place
from retention.workflow.adoption.remaking import digests_of_weights
from retention.workflow.adoption.states import half_trained, state_commands
from retention.workflow.adoption.upgrade import Upgrade

FACTS = {
    "recipe": {"epochs": 8, "learning_rate": 0.001},
    "architecture_definition": {"timm": "test_vit"},
    "treatment_definition": {"sampler": "random"},
    "versions": {"torch": "2.14.1"},
    "code_version": "version of finetune",
    "digests": {"device": "cpu"},
}


def finish(run: SimpleNamespace, **facts) -> None:
    """Write the outputs of a job of fine-tuning."""
    for path in run.output:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(yaml.safe_dump(FACTS | facts))


def stop(run: SimpleNamespace, identity: dict, epoch: int = 3) -> Path:
    """Write the state of a job of fine-tuning that was stopped; return its folder."""
    folder = Path(run.params.state)
    folder.mkdir(parents=True, exist_ok=True)
    write_state(folder / f"epoch_{epoch:06d}.json", {"epoch": epoch, "identity": identity})
    return folder


def identity(code: str, **words: dict) -> dict[str, str]:
    """Return what the hand-made trainer calls what a run depends on: its words."""
    said = {"recipe": FACTS["recipe"], "definition": FACTS["architecture_definition"]}
    said |= {"treatment-definition": {}, "store": {}} | words
    texts = {name: json.dumps(content, sort_keys=True) for name, content in said.items()}
    return texts | {"code version": code, "device": "cpu"}


def upgrade(tmp_path: Path, *jobs: SimpleNamespace) -> tuple[Upgrade, list[str]]:
    lines: list[str] = []
    old = tree(tmp_path / "old")
    return Upgrade(graph(*jobs), old, tmp_path, tmp_path / "scratch", said=lines.append), lines


def test_a_run_of_which_a_part_is_gone_is_named(tmp_path):
    whole, cut, broken, half, none = (finetune_job(tmp_path, seed) for seed in range(5))
    for run in (whole, cut, broken):
        finish(run)
    Path(cut.output.traces).unlink()
    Path(broken.output.run).write_text("recipe: {epochs")
    stop(half, {})
    Path(half.output.traces).parent.mkdir()
    Path(half.output.traces).touch()  # it was stopped while it wrote its results
    study = graph(whole, cut, broken, half, none)
    finished = finished_runs(study)
    assert [run.job for run in finished] == [whole]
    assert passed_over(study, finished) == [
        f"{tmp_path}/seed1: lacks traces.parquet",
        f"{tmp_path}/seed2: its run.yaml does not say how it was made",
    ]
    assert [one.job for one in half_trained(study)] == [half]


def test_a_folder_without_runs_is_said_to_be_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    study, lines = upgrade(tmp_path, finetune_job(tmp_path))
    with pytest.raises(
        UserError, match="results/s: holds no run, finished or half-trained"
    ) as error:
        check(study)
    assert lines == []
    assert "\n" not in str(error.value)


def test_where_all_runs_are_left_out_lines_say_why(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    other, cut = finetune_job(tmp_path, 0), finetune_job(tmp_path, 1)
    finish(other, versions={"torch": "2.13.0"})
    finish(cut)
    Path(cut.output.traces).unlink()
    study, lines = upgrade(tmp_path, other, cut)
    with pytest.raises(UserError, match="the lines above say why"):
        check(study)
    assert lines[1] == f"  {tmp_path}/seed1: lacks traces.parquet"
    assert lines[3] == f"  {tmp_path}/seed0: torch 2.13.0, where 2.14.1 is pinned"


def test_of_those_left_out_ten_are_named_and_all_counted(tmp_path):
    lines: list[str] = []
    runs = [Candidate(finetune_job(tmp_path, seed), FACTS) for seed in range(12)]
    kept = leave_out(runs, lambda run: ["old"] * (run is not runs[3]), "not adopted", lines.append)
    assert kept == [runs[3]]
    assert lines[0] == "11 not adopted:"
    assert (len(lines), lines[-1]) == (12, "  … and 1 more")


def test_states_are_known_by_the_words_in_which_the_old_version_began_them(tmp_path):
    """One in its shortest words, one in those of a finished run beside it, one otherwise."""
    plain, like, other, gone = (finetune_job(tmp_path, seed) for seed in range(4))
    said = {"definition": {"timm": "test_vit", "said": "long ago"}}
    code = "version of finetune"
    stop(plain, identity(code))
    stop(like, identity(code, **said))
    stop(other, identity(code, recipe={"epochs": 9, "learning_rate": 0.001}))
    stop(gone, identity(code)).joinpath("epoch_000003.json").write_text("{}")
    finished = Candidate(plain, FACTS | {"architecture_definition": said["definition"]})
    study, lines = upgrade(tmp_path, plain, like, other, gone)
    found = made_by_old(study, [*half_trained(study.graph), finished])
    states = {one.job.params.state: one for one in found if one.state}
    assert set(states) == {plain.params.state, like.params.state}
    assert states[like.params.state].facts["architecture_definition"] == said["definition"]
    assert lines[-2:] == [
        f"  {other.params.state}: recipe",
        f"  {gone.params.state}: no state is whole",
    ]


def test_the_ways_to_say_a_run_are_each_asked_once(tmp_path):
    run = finetune_job(tmp_path)
    stop(run, identity("old"))
    (state,) = half_trained(graph(run))
    config = graph(architecture_definitions={"vit": {"timm": "test_vit", "weights": "none"}}).config
    commands = state_commands(state, config, "old", {})
    words = [tuple(command.arguments()) for command in commands]
    assert len(set(words)) == len(words)
    definitions = {command["definition"] for command in commands}
    assert {'{"timm": "test_vit"}', '{"timm": "test_vit", "weights": "none"}'} <= definitions
    assert {command["treatment-definition"] for command in commands} == {
        "{}",
        '{"sampler": "random"}',
    }
    assert {command["code-version"] for command in commands} == {"old"}


def test_states_of_this_version_go_on_in_a_second_adoption(tmp_path):
    """The old version, which did not begin them so, is not asked."""
    run = finetune_job(tmp_path)
    folder = stop(run, before := identity("old"), epoch=2)
    stop(run, before, epoch=3)
    adopt_state(folder, before, identity("today"))
    assert {read_state(path)["identity"]["code version"] for path in folder.iterdir()} == {"today"}
    study, lines = upgrade(tmp_path, run)
    (state,) = made_by_old(study, half_trained(study.graph))
    assert state.is_of_today
    assert lines == []
    told = Checked([state], [], {}, {}).counted("adopted")
    assert told == "adopted 0 runs; 1 half-trained run to go on from the last epoch"


def test_a_killed_adoption_of_a_state_is_gone_on_with(tmp_path):
    """Of its two epochs one was written: the newest, which says what it is, is written last."""
    run = finetune_job(tmp_path)
    folder = stop(run, identity("today"), epoch=2)
    stop(run, identity("version of finetune"), epoch=3)
    study, _ = upgrade(tmp_path, run)
    (state,) = made_by_old(study, half_trained(study.graph))
    adopt_state(folder, state.facts["digests"], identity("today"))
    assert {read_state(path)["identity"]["code version"] for path in folder.iterdir()} == {"today"}


def test_runs_are_counted_alike_before_and_after_writing(tmp_path):
    run, already = (finetune_job(tmp_path, seed) for seed in range(2))
    candidates = [Candidate(run, FACTS), Candidate(already, FACTS | {"code_version": "today"})]
    checked = Checked(candidates, [], {}, {})
    told = "1 run, 1 more of this version already; 0 half-trained runs to go on from the last epoch"
    assert checked.counted("would adopt") == f"would adopt {told}"


FETCHED = {"a.zip": "1" * 64}


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"a.zip": {"urls": ["elsewhere"]}}, ""),
        ({"a.zip": {"urls": [], "sha256": "1" * 64}}, ""),
        ({"a.zip": {"urls": [], "sha256": "2" * 64}}, "a.zip has another sha256"),
        ({"a.zip": {"urls": [], "size": 3}}, "a.zip is gone, so that its size and md5"),
        ({"a.zip": {"urls": []}, "b.csv": {"urls": []}}, "lacks b.csv"),
        ({}, "has a.zip, which the definition does not name"),
    ],
)
def test_what_was_fetched_is_held_against_the_definition(tmp_path, files, said):
    record = tmp_path / "fetched.yaml"
    record.write_text(yaml.safe_dump({"dataset": "x", "sha256": FETCHED}))
    definition = json.dumps({"adapter": "csv", "files": files} if files else {"adapter": "csv"})
    fetching = job("fetch_dataset", "fetch_dataset", {"definition": definition, "output": record})
    if not said:
        return require_fetched(fetching)
    with pytest.raises(UserError, match=said) as error:
        require_fetched(fetching)
    assert "\n" not in str(error.value)


def test_a_fetched_file_that_is_there_is_held_against_size_and_checksum(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"1,2")
    record = tmp_path / "fetched.yaml"
    record.write_text(yaml.safe_dump({"sha256": {"a.csv": digest_file(tmp_path / "a.csv")}}))

    def held(**wanted):
        definition = json.dumps({"files": {"a.csv": {"urls": [], **wanted}}})
        options = {"definition": definition, "output": record}
        require_fetched(job("fetch_dataset", "fetch_dataset", options))

    held(size=3, md5="05cf281c050be3da4eecf3bc6e8aac1b")
    with pytest.raises(UserError, match=r"a\.csv has 3 bytes, expected 4"):
        held(size=4)
    with pytest.raises(UserError, match=r"a\.csv has another md5 than the 0123 expected"):
        held(md5="0123")
    (tmp_path / "a.csv").write_bytes(b"1,3")
    with pytest.raises(UserError, match=r"a\.csv is not the file that was fetched"):
        held(size=3)


@pytest.fixture
def backbone(tmp_path):
    """A job that pretrained a backbone, the files it was trained on, and the record of it."""
    files = {name: tmp_path / name for name in ("index", "pixels", "layout", "split", "images")}
    for path in files.values():
        path.write_text(path.name)
    weights = tmp_path / "vit.safetensors"
    notes = {name: json.dumps(FACTS[name]) for name in ("recipe", "versions")}
    notes["definition"] = json.dumps(FACTS["architecture_definition"])
    save_file({"head": np.ones(2)}, weights, {"run": json.dumps(notes)})
    params = {"recipe": notes["recipe"], "definition": notes["definition"], "code": "today"}
    output = {"weights": str(weights), "digest": str(tmp_path / "vit.yaml")}
    named = {name: str(path) for name, path in files.items()}
    made = job("pretrain_backbone", "x", {}, output=output, input=named, params=params)
    checksums = {named[name]: f"sha256:{digest_file(named[name])}" for name in ("index", "layout")}
    record = SimpleNamespace(params=["'old'"], input_checksums=checksums)
    return SimpleNamespace(job=made, record=record, weights=str(weights), files=files)


def faults(backbone: SimpleNamespace, record) -> list[str]:
    told = backbone_faults(backbone.job, graph(records={backbone.weights: record}), "old")
    return [line.removeprefix(f"{backbone.weights}: ") for line in told]


def test_a_backbone_as_the_old_version_would_make_it_may_be_taken_over(backbone):
    assert faults(backbone, backbone.record) == []
    assert needs_training(backbone.job, graph(records={backbone.weights: backbone.record}))
    made_today = SimpleNamespace(params=["'today'"])
    assert not needs_training(backbone.job, graph(records={backbone.weights: made_today}))


def test_a_backbone_without_a_record_may_not(backbone):
    (told,) = faults(backbone, None)
    assert "no record: what it was trained on is not known" in told


def test_a_backbone_of_other_code_may_not(backbone):
    backbone.record.params = ["'older'"]
    assert faults(backbone, backbone.record) == ["code, which is another than that of --from"]


def test_a_backbone_of_another_split_may_not(backbone):
    backbone.files["index"].write_text("another")
    told = f"{backbone.files['index']}, which is not what it was trained on"
    assert faults(backbone, backbone.record) == [told]


def test_of_files_too_large_for_a_checksum_the_time_tells(backbone):
    later = os.stat(backbone.weights).st_mtime_ns + 10**9
    os.utime(backbone.files["pixels"], ns=(later, later))
    told = f"{backbone.files['pixels']}, which is not what it was trained on"
    assert faults(backbone, backbone.record) == [told]


def test_small_files_that_were_recorded_stand_for_the_large(backbone):
    small = {
        str(backbone.files[name]): digest_file(backbone.files[name]) for name in ("split", "images")
    }
    backbone.record.input_checksums |= small
    backbone.files["pixels"].write_text("written again")
    backbone.files["index"].write_text("with another column")
    assert faults(backbone, backbone.record) == []
    backbone.files["images"].write_text("another cache")
    told = f"{backbone.files['images']}, which is not what it was trained on"
    assert faults(backbone, backbone.record) == [told]


def test_a_lock_that_another_took_first_is_told_in_one_line():
    def lock():
        raise LockException()

    workflow = SimpleNamespace(globals={"config": {}}, persistence=SimpleNamespace(lock=lock))
    with (
        pytest.raises(UserError, match="has just begun to work here") as error,
        Graph(workflow).locked(),
    ):
        pytest.fail("the lock was said to be taken")
    assert "\n" not in str(error.value)


def test_a_digest_that_the_old_version_did_not_write_is_put_beside_its_weights(
    tmp_path, backbone, monkeypatch
):
    os.utime(backbone.weights, ns=(1, 2_000_000_000))
    monkeypatch.chdir(tmp_path)
    output = {"weights": "vit.safetensors", "digest": "vit.yaml"}
    made = job("fetch_weights", "fetch_weights", {}, output=output)
    places = digests_of_weights([made], tmp_path / "scratch")
    put_in_place(made, places)
    assert yaml.safe_load(Path("vit.yaml").read_text()) == {
        "sha256": digest_tensors(backbone.weights)
    }
    assert os.stat("vit.yaml").st_mtime_ns == 2_000_000_000
    assert digests_of_weights([made], tmp_path / "scratch") == {}
