"""Where a backbone's weights come from: the hub, played on loopback, and files."""

import hashlib
import json
import os
import subprocess
import sys
from argparse import Namespace
from dataclasses import replace

import pytest
import timm
import torch
from loopback import Handler, Server
from safetensors.torch import load_file, save
from small_run import CPU
from sources import ROOT
from timm.layers import resample_abs_pos_embed, resample_patch_embed
from torch import nn

from retention.commands import fetch_weights, finetune
from retention.common.digests import digest_tensors, digest_weights
from retention.common.errors import UserError
from retention.common.yaml_files import write_yaml
from retention.training.backbone import load_backbone
from retention.training.identity import identity_of
from retention.training.inputs import image_files, require_tensors
from retention.training.models import build_model, save_weights
from retention.training.run import RunNames
from retention.training.weight_files import read_weights

HUB_FILE = "/timm/test_resnet.r160_in1k/resolve/main/model.safetensors"


# The hub's client tries again for three quarters of a minute: as often here, but without waiting.
AT_ONCE = "import time\ntime.sleep = lambda seconds: None\n"


class HubHandler(Handler):
    """Answers as the hub does: the commit and the file's digest in headers."""

    def do_GET(self):
        body = self.server.bodies.get(self.path)
        self.server.requests.append((self.command, self.path))
        if body is None:
            return self.send_error(404)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", f'"{"a" * 64}"')
        self.send_header("X-Repo-Commit", "b" * 40)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET


@pytest.fixture
def hub(server):
    server.RequestHandlerClass = HubHandler
    return server


def fetch(folder, endpoint: str, model: str = "test_resnet") -> subprocess.CompletedProcess:
    """Run fetch_weights.py against a hub of our own."""
    command = [sys.executable, ROOT / "scripts" / "fetch_weights.py", "--architecture", "mine"]
    command += ["--definition", json.dumps({"timm": model, "weights": "hub"})]
    command += ["--output", folder / "mine.safetensors"]
    environment = {**os.environ, "HF_ENDPOINT": endpoint, "HF_HOME": str(folder / "hub")}
    environment["PYTHONPATH"] = str(folder)
    (folder / "sitecustomize.py").write_text(AT_ONCE)
    environment.pop("HF_HUB_OFFLINE", None)
    return subprocess.run(command, env=environment, capture_output=True, text=True)


@pytest.mark.slow
def test_weights_come_from_the_hub(hub: Server, tmp_path):
    model = timm.create_model("test_resnet")
    hub.bodies[HUB_FILE] = save(model.state_dict())
    done = fetch(tmp_path, hub.url(""))
    assert done.returncode == 0, done.stderr
    assert ("GET", HUB_FILE) in hub.requests
    fetched = load_file(tmp_path / "mine.safetensors")
    for name, value in model.state_dict().items():
        torch.testing.assert_close(fetched[name], value, rtol=0, atol=0)
    other = build_model({"timm": "test_resnet"}, 3)
    load_backbone(other, tmp_path / "mine.safetensors")
    torch.testing.assert_close(other.conv1[0].weight, model.conv1[0].weight, rtol=0, atol=0)


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["not there", "no server"])
def test_a_hub_that_does_not_answer_leads_to_a_file(hub: Server, tmp_path, fault):
    endpoint = hub.url("")
    if fault == "no server":
        hub.shutdown()
        hub.server_close()
    done = fetch(tmp_path, endpoint)
    assert done.returncode == 1
    errors = [line for line in done.stderr.splitlines() if line.startswith("error:")]
    assert len(errors) == 1
    assert "architecture_definitions.mine.weights: {file: path.safetensors}" in errors[0]
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "mine.safetensors").exists()


@pytest.mark.parametrize(
    ("model", "advice"),
    [
        ("resnet_18", "did you mean resnet18"),
        ("resnet18.none_such", "resnet18.a1_in1k"),
        ("vit_base_patch16_18x2_224", r"has no weights .*\(of this model it has: none\)"),
    ],
)
def test_what_the_hub_cannot_have_fails_before_it_is_asked(tmp_path, model, advice):
    options = ["--architecture", "mine", "--output", str(tmp_path / "w.safetensors")]
    with pytest.raises(UserError, match=advice):
        fetch_weights.main([*options, "--definition", json.dumps({"timm": model})])


def test_weights_that_run_code_are_refused(tmp_path):
    torch.save(nn.Linear(2, 2), tmp_path / "whole.pth")
    with pytest.raises(UserError, match="without running code"):
        read_weights(tmp_path / "whole.pth")


@pytest.mark.parametrize("wrap", [lambda s: s, lambda s: {"model": s, "epoch": 3}])
def test_a_pth_file_gives_the_backbone_and_leaves_the_head(tmp_path, wrap):
    source = build_model({"timm": "test_resnet"}, 7)
    state = {f"module.{key}": value for key, value in source.state_dict().items()}
    torch.save(wrap(state), tmp_path / "w.pth")
    model = build_model({"timm": "test_resnet"}, 3)
    head = model.fc.weight.clone()
    load_backbone(model, tmp_path / "w.pth")
    for key, value in model.state_dict().items():
        expected = head if key == "fc.weight" else source.state_dict()[key]
        if not key.startswith("fc.bias"):
            torch.testing.assert_close(value, expected, rtol=0, atol=0)


def test_weights_of_another_model_are_explained(tmp_path):
    save_weights(tmp_path / "w.safetensors", build_model({"timm": "test_resnet"}, 3), {})
    with pytest.raises(UserError, match=r"do not fit the model \(\d+ missing: .*unexpected: "):
        load_backbone(build_model({"timm": "test_vit"}, 3), tmp_path / "w.safetensors")


def test_a_tensor_of_another_shape_is_named_with_both_shapes(tmp_path):
    state = build_model({"timm": "test_resnet"}, 3).state_dict()
    state["conv1.0.weight"] = torch.zeros(5, 3, 3, 3)
    torch.save(state, tmp_path / "w.pt")
    expected = r"1 other shape: conv1.0.weight \[5, 3, 3, 3\] instead of \[\d+, 3, 3, 3\]"
    with pytest.raises(UserError, match=expected):
        load_backbone(build_model({"timm": "test_resnet"}, 3), tmp_path / "w.pt")


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 46827520\n"
BROKEN = {
    "empty": (b"", "is empty; fetch it again"),
    "text": (b"no weights at all", "whole (safetensors|torch) file"),
    "pointer": (POINTER, "is a Git-LFS pointer, .*git lfs pull"),
    "page": (b"\n<!DOCTYPE html><html>404</html>", "is a page of a web site, no weights"),
}


@pytest.mark.parametrize(("content", "told"), BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("suffix", ["safetensors", "pth", "npz"])
def test_a_damaged_file_is_refused_in_one_line(tmp_path, content, told, suffix):
    path = tmp_path / f"w.{suffix}"
    path.write_bytes(content)
    digest_weights(path)  # comes before it is loaded
    if (suffix, content) == ("npz", BROKEN["text"][0]):
        told = "cannot be loaded into this model"
    with pytest.raises(UserError, match=told) as caught:
        load_backbone(build_model({"timm": "test_vit"}, 3), path)
    assert str(path) in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert "weights_only" not in str(caught.value)


@pytest.mark.parametrize("as_zip", [True, False])
def test_a_torch_file_that_was_cut_short_is_no_file_that_runs_code(tmp_path, as_zip):
    path = tmp_path / "w.pth"
    torch.save({"a": torch.zeros(999)}, path, _use_new_zipfile_serialization=as_zip)
    whole = path.read_bytes()
    for length in (20, 200, len(whole) - 99):
        path.write_bytes(whole[:length])
        with pytest.raises(UserError, match=r"w.pth is no whole torch file .*fetch it again"):
            read_weights(path)
    if as_zip:
        path.write_bytes(whole[:90] + bytes(60) + whole[150:])  # within the pickle
        with pytest.raises(UserError, match=r"is no whole torch file"):
            read_weights(path)
    torch.save(nn.ReLU(), path, _use_new_zipfile_serialization=as_zip)
    with pytest.raises(UserError, match="cannot be read without running code"):
        read_weights(path)


def test_position_embeddings_of_another_image_size_are_resampled(tmp_path):
    definition = {"timm": "test_vit", "model_kwargs": {"img_size": 32, "patch_size": 4}}
    small = build_model(definition, 3)
    save_weights(tmp_path / "small.safetensors", small, {})
    larger = {"timm": "test_vit", "model_kwargs": {"img_size": 48, "patch_size": 4}}
    model = build_model(larger, 5)
    load_backbone(model, tmp_path / "small.safetensors")
    prefix = small.num_prefix_tokens
    assert model.pos_embed.shape[1] == prefix + 12 * 12
    torch.testing.assert_close(model.pos_embed[:, :prefix], small.pos_embed[:, :prefix])
    grid = small.pos_embed[:, prefix:].reshape(1, 8, 8, -1).permute(0, 3, 1, 2)
    expected = nn.functional.interpolate(grid, (12, 12), mode="bicubic", antialias=True)
    ours = model.pos_embed[:, prefix:].reshape(1, 12, 12, -1).permute(0, 3, 1, 2)
    torch.testing.assert_close(ours, expected)


def test_a_file_for_patches_of_another_size_is_resampled_as_from_the_hub(tmp_path, capsys):
    source = build_model({"timm": "test_vit", "model_kwargs": {"img_size": 64}}, 3)
    save_weights(tmp_path / "w.safetensors", source, {})
    keywords = {"img_size": 48, "patch_size": 8}
    model = build_model({"timm": "test_vit", "model_kwargs": keywords}, 5)
    head = model.head.weight.clone()
    load_backbone(model, tmp_path / "w.safetensors")
    assert "1 other shape: patch_embed.proj.weight" in capsys.readouterr().err
    expected = resample_patch_embed(source.patch_embed.proj.weight, [8, 8])
    torch.testing.assert_close(model.patch_embed.proj.weight, expected)
    prefix = source.num_prefix_tokens
    expected = resample_abs_pos_embed(source.pos_embed, [6, 6], num_prefix_tokens=prefix)
    torch.testing.assert_close(model.pos_embed, expected)
    torch.testing.assert_close(model.blocks[0].attn.qkv.weight, source.blocks[0].attn.qkv.weight)
    assert torch.equal(model.head.weight, head)


def test_a_hub_file_with_what_timm_leaves_out_is_read(tmp_path):
    """Swin's files hold attention masks that no longer belong to the model."""
    small = {"embed_dim": 8, "depths": [1, 1, 1, 1], "num_heads": [1, 1, 1, 1]}
    definition = {"timm": "swin_tiny_patch4_window7_224", "model_kwargs": small}
    source = build_model(definition, 3)
    masks = {"layers.0.blocks.0.attn_mask": torch.zeros(4, 49, 49)}
    torch.save(source.state_dict() | masks, tmp_path / "w.pth")
    model = build_model(definition, 5)
    load_backbone(model, tmp_path / "w.pth")
    weights = (net.layers[3].blocks[0].attn.qkv.weight for net in (model, source))
    torch.testing.assert_close(*weights, rtol=0, atol=0)


def test_other_weights_images_or_another_schedule_make_another_run(tmp_path):
    for name in ("index", "pixels", "layout", "pixels.yaml"):
        (tmp_path / name).write_bytes(name.encode())
    found = []
    for weights, schedule in ((b"a", b"c"), (b"b", b"c"), (b"b", b"d")):
        (tmp_path / "w.safetensors").write_bytes(weights)
        (tmp_path / "reviews.parquet").write_bytes(schedule)
        options = Namespace(
            architecture="mine",
            definition={"timm": "test_resnet", "weights": "hub", "image_size": 32},
            recipe={"epochs": 3, "learning_rate": 1e-3},
            treatment="random",
            treatment_definition={},
            store={},
            weights=tmp_path / "w.safetensors",
            reviews=tmp_path / "reviews.parquet",
            code_version="1",
            on_other_device="go_on",
            state=tmp_path / "state",
            images=None,
            split=None,
            **{name: tmp_path / name for name in ("index", "pixels", "layout")},
        )
        settings = finetune.settings_of(options, CPU)
        names = RunNames("study", "images", "mine", "random", 0)
        files = image_files(options)
        found.append(identity_of(names, settings, files, "cpu", {}))
    for changed, before, after in (("weights", *found[:2]), ("reviews", *found[1:])):
        assert {key for key in before if before[key] != after[key]} == {changed}
    # told of the digests of what is cached, it asks no file what it holds
    stated = replace(files, images=tmp_path / "pixels.yaml")
    told = identity_of(names, settings, stated, "cpu", {})
    assert told["images"] == hashlib.sha256(b"pixels.yaml").hexdigest()
    (tmp_path / "pixels").write_bytes(b"others")
    assert identity_of(names, settings, stated, "cpu", {}) == told
    assert identity_of(names, settings, files, "cpu", {})["images"] != after["images"]
    options.weights = None
    with pytest.raises(UserError, match="--weights must name a file"):
        finetune.settings_of(options, CPU)
    options.definition = {"timm": "test_resnet"}
    with pytest.raises(UserError, match="--definition lacks image_size; it takes what"):
        finetune.settings_of(options, CPU)


def test_weights_are_what_their_tensors_are(tmp_path):
    """Made again, a file may differ in the versions that its metadata tell of: it is no other start."""
    path, stated = tmp_path / "w.safetensors", tmp_path / "w.yaml"
    model = build_model({"timm": "test_resnet"}, 3)
    save_weights(path, model, {"numpy": "1"})
    write_yaml(stated, {"sha256": digest_tensors(path)})
    before, content = digest_weights(path), path.read_bytes()
    save_weights(path, model, {"numpy": "2"})
    assert path.read_bytes() != content
    assert digest_weights(path) == before
    require_tensors(stated, path)
    with torch.no_grad():
        next(model.parameters()).view(-1)[0] += 1
    save_weights(path, model, {"numpy": "2"})
    assert digest_weights(path) != before
    with pytest.raises(UserError, match=r"w.safetensors: does not hold the tensors that .*w.yaml"):
        require_tensors(stated, path)


NO_HEADER = [
    b"",
    b"abc",
    b"\xff" * 16,
    b"\2" + b"\0" * 7 + b"[]",
    POINTER,
    b"<!DOCTYPE html>",
    b"\0" * 9,
]


@pytest.mark.parametrize("content", NO_HEADER)
def test_a_damaged_file_of_weights_has_a_digest_too(tmp_path, content):
    path = tmp_path / "w.safetensors"
    path.write_bytes(content)
    assert digest_weights(path) == hashlib.sha256(content).hexdigest()
    with pytest.raises(UserError, match=r"w.safetensors: is no whole safetensors file"):
        digest_tensors(path)
