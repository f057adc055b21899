"""Files of weights that are not what they seem: what is no model's, what is beside it, and what to do."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from weight_states import BACKBONE, BLANK, STATE, holds, loaded, under

from retention.common.errors import UserError
from retention.training.backbone import load_backbone
from retention.training.models import build_model

PARAMETERS = {
    name: STATE[name] for name, _ in build_model({"timm": "test_resnet"}, 7).named_parameters()
}
MOMENTS = {
    "moments before the model": {
        "optimizer": {"exp_avg": BLANK, "exp_avg_sq": BLANK},
        "net": STATE,
    },
    "averaged gradients": {"model": STATE, "optimizer": {"ema_grad": BLANK}},
    "of two optimisers": {"optim_g": {"exp_avg": BLANK}, "net": STATE},
}


@pytest.mark.parametrize("content", MOMENTS.values(), ids=MOMENTS)
def test_what_an_optimiser_keeps_is_no_model(tmp_path, content, capsys):
    assert holds(loaded(tmp_path, content)[0])
    assert "would fit too" not in capsys.readouterr().err


def test_a_decoder_of_masked_pretraining_is_passed_over_and_said(tmp_path, capsys):
    beside = {"mask_token": torch.ones(1, 1, 8), "decoder_embed.weight": torch.ones(8, 4)}
    assert holds(loaded(tmp_path, {"model": BACKBONE | beside})[0])
    assert (
        "a pretraining's mask_token, decoder_embed.weight; passed over" in capsys.readouterr().err
    )


def test_only_what_fits_is_offered_and_what_came_first_is_named(tmp_path, capsys):
    content = {"model": STATE, "ema": {"shadow": PARAMETERS}}
    assert holds(loaded(tmp_path, content)[0])
    said = capsys.readouterr().err
    assert "taken from" in said and "would fit too" not in said
    assert "'ema.shadow' would come first, and does not fit" in said
    other = {name: torch.ones(3) for name in STATE}
    loaded(tmp_path, {"teacher": other, "student": STATE})
    assert "would fit too" not in capsys.readouterr().err


LORA = {name: value for name, value in STATE.items() if name != "layer1.0.conv1.weight"}
LORA |= {f"layer1.0.conv1.{part}": torch.ones(2) for part in ("base_layer.weight", "lora_A.weight")}
REMEDIES = {
    "parameters alone": (PARAMETERS, "without the running means and variances"),
    "more than the model": (
        STATE | {"dist_token": torch.ones(1)},
        "nothing is missing, the file has more",
    ),
    "layers not merged": (LORA, r"merge_and_unload"),
    "another model's": ({"conv1.0.weight": torch.ones(2)}, "check the architecture's `timm` name"),
    "diverged": (
        STATE | {"conv1.0.weight": torch.full_like(STATE["conv1.0.weight"], np.nan)},
        r"infinite or no numbers \(conv1.0.weight\)",
    ),
}


@pytest.mark.parametrize(("content", "told"), REMEDIES.values(), ids=REMEDIES)
def test_a_refusal_says_what_to_do(tmp_path, content, told):
    with pytest.raises(UserError, match=told):
        loaded(tmp_path, content)


def test_a_map_that_diverged_is_passed_over_and_said(tmp_path, capsys):
    diverged = STATE | {"conv1.0.weight": torch.full_like(STATE["conv1.0.weight"], np.nan)}
    assert holds(loaded(tmp_path, {"state_dict": STATE, "state_dict_ema": diverged})[0])
    assert "'state_dict_ema' would come first, and does not fit" in capsys.readouterr().err


def test_floats_of_8_bits_are_read(tmp_path):
    small = {
        name: value.to(torch.float8_e4m3fn) if value.is_floating_point() else value
        for name, value in STATE.items()
    }
    loaded(tmp_path, small)


def test_a_part_of_the_weights_is_told_from_a_file_of_another_model(tmp_path):
    half = dict(list(STATE.items())[: len(STATE) // 2])
    save_file(half, tmp_path / "model-00001-of-00002.safetensors")
    with pytest.raises(UserError, match="part 1 of 2 of the weights; save them as one file"):
        load_backbone(
            build_model({"timm": "test_resnet"}, 3), tmp_path / "model-00001-of-00002.safetensors"
        )


@pytest.mark.parametrize("name", ["w.pth", "w.bin", "w.safetensors", "w"])
@pytest.mark.parametrize("save", [save_file, torch.save], ids=["safetensors", "torch"])
def test_a_file_is_what_it_holds_whatever_it_is_called(tmp_path, name, save):
    save(STATE, tmp_path / name)
    model = build_model({"timm": "test_resnet"}, 3)
    load_backbone(model, tmp_path / name)
    assert holds(model)


def test_a_folder_in_the_place_of_a_file_names_the_files_in_it(tmp_path):
    (tmp_path / "out").mkdir()
    save_file(STATE, tmp_path / "out" / "model.safetensors")
    with pytest.raises(UserError, match=r"is a folder; name a file in it: model.safetensors"):
        load_backbone(build_model({"timm": "test_resnet"}, 3), tmp_path / "out")


def test_the_mean_of_a_run_s_weights_comes_first(tmp_path):
    content = {"model": BLANK, "swa_model": under("module.") | {"n_averaged": torch.tensor(5)}}
    assert loaded(tmp_path, content)[1] == "'swa_model'"
