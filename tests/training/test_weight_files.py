"""Files of weights as frameworks leave them: what timm would load is loaded, and it is said."""

import argparse
import collections
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from torch import nn
from weight_states import BACKBONE, BLANK, RESNET, STATE, holds, loaded, under

from retention.common.errors import UserError
from retention.training.backbone import load_backbone
from retention.training.models import build_model
from retention.training.weight_files import read_weights

WHOLE_FILE = {
    "counts of batches lacking": {k: v for k, v in STATE.items() if "num_batches" not in k},
    "compiled": under("_orig_mod."),
    "in parallel": {"state_dict": under("module.")},
    "compiled in parallel": under("_orig_mod.module."),
    "parallel, then compiled": under("module._orig_mod."),
    "parts compiled": {k.replace("layer1.", "layer1._orig_mod."): v for k, v in STATE.items()},
    "a tutorial's": {"epoch": 3, "model_state_dict": STATE, "loss": torch.tensor(0.5)},
    "net": {"net": STATE, "acc": 93.1},
    "map in a map": {"model": {"state_dict": STATE}},
    "module in model": {"model": {"module": under("module.")}},
    "averaged alone": {"epoch": 1, "state_dict_ema": STATE},
    "of Lightning": {
        "state_dict": under("model.") | {"criterion.weight": torch.ones(7)},
        "optimizer_states": [{"state": {0: {"exp_avg": torch.ones(3)}}}],
        "hyper_parameters": {"lr": 0.1},
    },
    "of Lightning, compiled": {"state_dict": under("net._orig_mod.")},
    "with its projector": {"backbone." + k: v for k, v in BACKBONE.items()}
    | {"projector.0.weight": torch.ones(3, 3)},
    "encoder": {"network": under("encoder.")},
    "with options": {"state_dict": STATE, "args": argparse.Namespace(lr=0.1, out=Path("x"))},
    "with numpy's numbers": {"model": STATE, "best": np.float64(0.5), "at": np.int64(3)},
    "ordered": collections.OrderedDict(model=collections.OrderedDict(STATE)),
    "beside other values": STATE | {"epoch": 3},
    "of torch's AveragedModel": under("module.") | {"n_averaged": torch.tensor(7)},
    "of AveragedModel, in a map": {"ema": under("module.") | {"n_averaged": torch.tensor(7)}},
    "of parameters": {
        name: nn.Parameter(v) if v.is_floating_point() else v for name, v in STATE.items()
    },
}


@pytest.mark.parametrize("content", WHOLE_FILE.values(), ids=WHOLE_FILE)
def test_what_wraps_the_weights_is_no_part_of_them(tmp_path, content):
    model, taken = loaded(tmp_path, content)
    assert holds(model)
    assert taken == ""  # there was nothing to choose from
    assert model.fc.weight.shape[0] == 3


CHOSEN = {
    "model_ema": {"model": BLANK, "model_ema": STATE},
    "state_dict_ema": {"state_dict": BLANK, "state_dict_ema": STATE, "model_ema": BLANK},
    "state_dict": {"model": BLANK, "state_dict": STATE},
    "model": {"net": BLANK, "model": STATE},
    "ema.module": {"model": BLANK, "ema": {"module": STATE}},
    "teacher": {
        "student": under("module.backbone.", BLANK),
        "teacher": under("backbone.") | {"head.mlp.0.weight": torch.ones(2, 2)},
    },
}


@pytest.mark.parametrize(("key", "content"), CHOSEN.items(), ids=CHOSEN)
def test_of_several_maps_the_one_that_timm_prefers_is_taken_and_said(
    tmp_path, capsys, key, content
):
    model, taken = loaded(tmp_path, content)
    assert holds(model)
    assert taken.startswith(f"'{key}'")
    (said,) = capsys.readouterr().err.splitlines()
    assert f"taken from {tmp_path}/w.pth: '{key}'" in said
    others = [name for name in content if name != key.partition(".")[0]]
    assert all(f"'{name}'" in said.partition(";")[2] for name in others)
    if key in content and key != "teacher":  # what timm's own loader does not know it refuses
        own = timm.models.load_state_dict(str(tmp_path / "w.pth"))
        assert torch.equal(own["conv1.0.weight"], STATE["conv1.0.weight"])


def test_a_key_takes_another_map_than_timm_would(tmp_path):
    content = {"model": STATE, "model_ema": BLANK}
    model, taken = loaded(tmp_path, content, key="model")
    assert holds(model)
    assert taken == "'model'"
    with pytest.raises(UserError, match="under the key 'net'; it has them under model_ema, model"):
        loaded(tmp_path, content, key="net")
    with pytest.raises(UserError, match="they have no key, leave it out"):
        loaded(tmp_path, STATE, key="net")


def test_one_of_two_encoders_in_one_map_is_said(tmp_path, capsys):
    content = {"state_dict": under("module.encoder_q.") | under("module.encoder_k.", BLANK)}
    model, taken = loaded(tmp_path, content)
    assert holds(model)
    assert taken == "'state_dict', names that begin with 'encoder_q.'"
    said = capsys.readouterr().err
    assert "begin with 'encoder_k.' would fit too" in said
    assert "key: state_dict.encoder_k} chooses" in said


MODELS_IN_ONE_MAP = {
    "state_dict.encoder_k": {"state_dict": under("encoder_q.", BLANK) | under("encoder_k.")},
    "encoder_k": {"state_dict": under("module.encoder_q.", BLANK) | under("module.encoder_k.")},
    "model": {"state_dict": under("ema_model.module.", BLANK) | under("model.")},
    "ema_model": {"state_dict": under("ema_model.module.") | under("model.", BLANK)},
    "": STATE | {"model_ema": BLANK},
}


@pytest.mark.parametrize(("key", "content"), MODELS_IN_ONE_MAP.items(), ids=MODELS_IN_ONE_MAP)
def test_a_key_names_what_the_names_begin_with(tmp_path, key, content):
    assert holds(loaded(tmp_path, content, key)[0])


def test_the_key_that_the_line_names_takes_the_other(tmp_path, capsys):
    average = under("ema_model.module.", BLANK) | {"ema_model.n_averaged": torch.tensor(7)}
    for content in ({"state_dict": average | under("model.")}, STATE | {"model_ema": BLANK}):
        model, _ = loaded(tmp_path, content)
        assert holds(model, BLANK)
        key = capsys.readouterr().err.partition("key: ")[2].partition("}")[0].strip("'")
        assert holds(loaded(tmp_path, content, key)[0])
        capsys.readouterr()
    with pytest.raises(UserError, match=r"'net'; it has them under .*state_dict.model"):
        loaded(tmp_path, {"state_dict": average | under("model.")}, key="net")


def test_a_file_of_a_family_s_older_names_is_found_in_its_wrapping(tmp_path, capsys):
    """Swin's files hold masks that the model lacks; here they come from Lightning."""
    small = {"embed_dim": 8, "depths": [1, 1, 1, 1], "num_heads": [1, 1, 1, 1]}
    definition = {"timm": "swin_tiny_patch4_window7_224", "model_kwargs": small}
    source = build_model(definition, 3)
    state = source.state_dict() | {"layers.0.blocks.0.attn_mask": torch.zeros(4, 49, 49)}
    torch.save({"state_dict": under("model.", state)}, tmp_path / "w.ckpt")
    model = build_model(definition, 5)
    load_backbone(model, tmp_path / "w.ckpt")
    weights = (net.layers[3].blocks[0].attn.qkv.weight for net in (model, source))
    torch.testing.assert_close(*weights, rtol=0, atol=0)
    assert "adapted by timm" in capsys.readouterr().err


def test_a_refusal_names_ten_keys_that_are_there_and_ten_that_are_expected(tmp_path):
    other = {f"blocks.{number}.weight": torch.zeros(2) for number in range(40)}
    with pytest.raises(UserError) as caught:
        loaded(tmp_path, {"model": other})
    (line,) = str(caught.value).splitlines()
    assert "'model', do not fit the model" in line
    assert "40 unexpected: blocks.0.weight, " in line and "blocks.9.weight and 30 more" in line
    assert "blocks.10.weight" not in line
    missing = [name for name in BACKBONE if "num_batches" not in name]
    assert f"{len(missing)} missing: {', '.join(missing[:10])} and {len(missing) - 10} more" in line


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"epoch": 3, "optimizer": {}}, "holds no tensors by name; it holds epoch, optimizer"),
        ([1, 2], "it holds list"),
        ({}, "w.pth holds no tensors by name; it holds nothing"),
    ],
)
def test_a_file_without_tensors_says_what_it_holds(tmp_path, content, told):
    with pytest.raises(UserError, match=told):
        loaded(tmp_path, content)


def test_what_only_code_could_read_is_named_with_the_way_out(tmp_path):
    torch.save({"model": STATE, "config": nn.ReLU()}, tmp_path / "w.pth")
    told = r"without running code \(it holds torch.nn.modules.activation.ReLU\).*save its state_dict alone"
    with pytest.raises(UserError, match=told):
        read_weights(tmp_path / "w.pth")


def test_an_archive_of_the_jax_models_is_loaded_by_timm(tmp_path):
    definition = {
        "timm": "vit_tiny_patch16_224",
        "model_kwargs": {"depth": 1, "embed_dim": 6, "num_heads": 2},
    }
    model = build_model(definition, 3)
    head = model.head.weight.clone()
    np.savez(tmp_path / "w.npz", **jax_arrays(width=6, heads=2, classes=3))
    load_backbone(model, tmp_path / "w.npz")
    assert torch.all(model.norm.weight == 5)
    assert torch.all(model.blocks[0].mlp.fc1.weight == 7)
    assert torch.equal(model.head.weight, head)
    with pytest.raises(UserError, match="npz cannot be loaded into this model"):
        load_backbone(build_model(RESNET, 3), tmp_path / "w.npz")


def jax_arrays(width: int, heads: int, classes: int) -> dict[str, np.ndarray]:
    """Return the arrays of a ViT of one block, named as the JAX code names them."""
    block, size = "Transformer/encoderblock_0/", width // heads
    attention = f"{block}MultiHeadDotProductAttention_1/"
    arrays = {
        "embedding/kernel": np.ones((16, 16, 3, width)),
        "embedding/bias": np.ones(width),
        "cls": np.ones((1, 1, width)),
        "Transformer/posembed_input/pos_embedding": np.ones((1, 197, width)),
        "Transformer/encoder_norm/scale": np.full(width, 5.0),
        "Transformer/encoder_norm/bias": np.ones(width),
        "head/kernel": np.full((width, classes), 9.0),
        "head/bias": np.full(classes, 9.0),
        f"{block}MlpBlock_3/Dense_0/kernel": np.full((width, 4 * width), 7.0),
        f"{block}MlpBlock_3/Dense_0/bias": np.ones(4 * width),
        f"{block}MlpBlock_3/Dense_1/kernel": np.ones((4 * width, width)),
        f"{block}MlpBlock_3/Dense_1/bias": np.ones(width),
        f"{attention}out/kernel": np.ones((heads, size, width)),
        f"{attention}out/bias": np.ones(width),
    }
    for norm in ("LayerNorm_0", "LayerNorm_2"):
        arrays |= {f"{block}{norm}/{part}": np.ones(width) for part in ("scale", "bias")}
    for part in ("query", "key", "value"):
        arrays[f"{attention}{part}/kernel"] = np.ones((width, heads, size))
        arrays[f"{attention}{part}/bias"] = np.ones((heads, size))
    return arrays
