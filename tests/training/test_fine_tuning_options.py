"""What an expert switches on: averages, mixing, half precision, freezing; alone and all together."""

import numpy as np
import pandas as pd
import pytest
import timm
import torch
import yaml
from small_run import RECIPE, SIDE, make_run, outputs_in, results_of
from torch import nn

from retention.common.errors import UserError
from retention.training.layers import frozen_modules, set_trainable
from retention.training.weight_files import read_weights

STEPS = 2  # of 33 samples in batches of 16, of which the last one joins the second


def predicted_by(weights, images) -> list[int]:
    """Return the classes that a plain timm model with these weights gives all images."""
    model = timm.create_model("test_resnet", num_classes=4)
    model.load_state_dict(weights)
    pixels = np.load(images / "pixels.npy").reshape(-1, SIDE, SIDE, 3).transpose(0, 3, 1, 2)
    mean, std = (np.array(model.default_cfg[key])[:, None, None] for key in ("mean", "std"))
    with torch.no_grad():
        inputs = torch.tensor((pixels / 255 - mean) / std, dtype=torch.float32)
        return model.eval()(inputs).argmax(dim=1).tolist()


def test_the_average_is_that_of_every_step_and_makes_traces_and_weights(images, tmp_path):
    decay = 0.8
    run = make_run(images, tmp_path / "state", {"ema_decay": decay, "epochs": 2})
    epochs, seen = run.epochs(), []
    next(epochs)
    expected = {key: value.double() for key, value in run.model.state_dict().items()}
    take = run.learner.stepper.optimizer.step

    def followed():
        take()
        for key, value in run.model.state_dict().items():
            if value.is_floating_point():
                expected[key] = decay * expected[key] + (1 - decay) * value.double()
            else:
                expected[key] = value.double()
        seen.append(1)

    run.learner.stepper.optimizer.step = followed
    list(epochs)
    run.execute(outputs_in(tmp_path / "run"))
    assert len(seen) == 2 * STEPS
    weights = read_weights(tmp_path / "run" / "final.safetensors")
    trained = run.model.state_dict()
    assert weights.keys() == expected.keys()
    for key, value in weights.items():
        torch.testing.assert_close(value.double(), expected[key], rtol=1e-5, atol=1e-6)
    assert any(not torch.allclose(weights[key], trained[key], atol=1e-4) for key in weights)
    traces = pd.read_parquet(tmp_path / "run" / "traces.parquet")
    last = traces[traces["epoch"] == 2].sort_values("sample_index")
    assert last["predicted"].tolist() == predicted_by(weights, images)
    facts = yaml.safe_load((tmp_path / "run" / "run.yaml").read_text())
    assert facts["evaluated_weights"] == "moving average"


def test_epoch_0_with_an_average_is_that_without(images, tmp_path):
    records = []
    for name, decay in (("plain", 0.0), ("averaged", 0.99)):
        run = make_run(images, tmp_path / name, {"ema_decay": decay})
        next(run.epochs())
        records.append(run.state.record(0))
    for key, values in records[0].items():
        np.testing.assert_array_equal(values, records[1][key])  # NaN where a class is absent, too


TRAINED = {  # by the names of the models' parts
    ("test_resnet", "head"): ("fc.",),
    ("test_resnet", 1): ("fc.", "layer4."),
    ("test_resnet", 3): ("fc.", "layer4.", "layer3.", "layer2."),
    ("test_vit", "head"): ("head.",),
    ("test_vit", 2): ("head.", "norm.", "blocks.5.", "blocks.4."),
    ("test_convnext", 1): ("head.", "stages.3.blocks.1."),
    ("test_convnext", 2): ("head.", "stages.3."),  # its second block, first block with reduction
    ("deit_tiny_distilled_patch16_224", 1): ("head.", "head_dist.", "norm.", "blocks.1."),
}


@pytest.mark.parametrize("warm_up", [0, 1])
@pytest.mark.parametrize(("name", "trainable"), TRAINED)
def test_what_is_frozen_does_not_move_and_the_rest_does(images, tmp_path, name, trainable, warm_up):
    patches = {"img_size": SIDE, "patch_size": 8, "drop_path_rate": 0.1}
    patches |= {"depth": 2} if "deit" in name else {}
    keywords = patches if "vit" in name or "deit" in name else {}
    recipe = {"trainable": trainable, "epochs": 2, "weight_decay": 0.1}
    recipe |= {"head_warmup": {"epochs": warm_up}}
    run = make_run(images, tmp_path / "state", recipe, {"timm": name, "model_kwargs": keywords})
    before = {key: value.clone() for key, value in run.model.state_dict().items()}
    list(run.epochs())
    after = run.model.state_dict()
    moved = {key for key in before if not torch.equal(before[key], after[key])}
    assert moved == {key for key in before if key.startswith(TRAINED[name, trainable])}


def test_a_linear_probe_is_a_linear_model_on_the_backbones_features(images, tmp_path):
    """Plain torch on features that timm computes, in the order that the run presents them."""
    recipe = {"trainable": "head", "epochs": 3, "augmentation": None, "schedule": "constant"}
    recipe |= {"head_warmup": {"epochs": 0}, "optimizer": "sgd", "head_learning_rate": 0.1}
    run = make_run(images, tmp_path / "state", recipe)
    head = torch.nn.Linear(run.model.fc.in_features, 4)
    head.load_state_dict(run.model.fc.state_dict())
    train, model = run.train, run.model.eval()
    with torch.no_grad():
        batch = next(iter(run.maker.clean([train.index])))
        features = model.forward_head(model.forward_features(batch), pre_logits=True)
    optimizer = torch.optim.SGD(
        [{"params": [head.weight], "weight_decay": 0.01}, {"params": [head.bias]}],
        lr=0.1,
        momentum=0.9,
    )
    for epoch in (1, 2, 3):
        order = run.sampler.order(epoch)
        for positions in (order[:16], order[16:]):
            loss = torch.nn.functional.cross_entropy(
                head(features[positions]), torch.from_numpy(train.label[positions])
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    list(run.epochs())
    torch.testing.assert_close(run.model.fc.weight, head.weight, rtol=1e-4, atol=1e-5)


def test_more_layers_than_there_are_is_said(images, tmp_path):
    with pytest.raises(UserError, match="trainable: is 6, and the backbone of ResNet has 5 layers"):
        make_run(images, tmp_path / "state", {"trainable": 6})


STATEFUL = {"ema_decay": 0.7, "optimizer": "sgd", "momentum": 0.8, "gradient_accumulation": 2}
STATEFUL |= {"gradient_clipping": 1.0, "layer_decay": 0.8, "class_weighting": "balanced"}
VARIED = {"mixup": 0.5, "cutmix": 1.0, "rotation": 90, "vertical_flip": True, "erasing": 0.5}
STATEFUL |= {"augmentation": {**RECIPE["augmentation"], **VARIED}}


@pytest.mark.parametrize(
    ("name", "precision", "trainable"),
    [
        ("test_resnet", "fp32", "all"),
        ("test_resnet", "fp32", 2),
        ("test_vit", "bf16", 3),
        ("test_vit", "fp16", "all"),
    ],
)
def test_a_run_with_everything_on_resumes_to_the_same_bytes(
    images, tmp_path, name, precision, trainable
):
    patches = {"img_size": SIDE, "patch_size": 8, "drop_path_rate": 0.1}
    definition = {"timm": name, "model_kwargs": patches if name == "test_vit" else {}}
    recipe = {**STATEFUL, "epochs": 3, "precision": precision, "trainable": trainable}
    make_run(images, tmp_path / "a", recipe, definition).execute(outputs_in(tmp_path / "whole"))
    for stop in (0, 2):
        epochs = make_run(images, tmp_path / "b", recipe, definition).epochs()
        while next(epochs)["epoch"] < stop:
            continue
    make_run(images, tmp_path / "b", recipe, definition).execute(outputs_in(tmp_path / "resumed"))
    assert results_of(tmp_path / "resumed") == results_of(tmp_path / "whole")


@pytest.mark.parametrize(
    ("name", "trainable", "active"),
    [
        ("vit_tiny_patch16_224", "head", {"head_drop"}),
        ("vit_tiny_patch16_224", 2, {"head_drop", "blocks.11.drop_path1", "blocks.11.mlp.drop1"}),
        ("convnext_atto", "head", {"head.drop"}),
        ("vit_tiny_patch16_224", "all", {"head_drop", "pos_drop", "blocks.3.mlp.drop1"}),
    ],
)
def test_frozen_layers_drop_nothing_out_and_learning_ones_do(name, trainable, active):
    keywords = {"depth": 12, "img_size": 32} if name.startswith("vit") else {}
    if keywords:
        keywords |= {"pos_drop_rate": 0.5, "proj_drop_rate": 0.5}
    keywords |= {"drop_rate": 0.5, "drop_path_rate": 0.3}
    model = timm.create_model(name, num_classes=3, **keywords)
    set_trainable(model, trainable)
    model.train()
    for module in frozen_modules(model) if trainable != "all" else ():
        module.eval()
    random = (nn.Dropout, timm.layers.DropPath)
    dropping = {
        name
        for name, module in model.named_modules()
        if isinstance(module, random) and module.training
    }
    assert active <= dropping
    if trainable != "all":
        frozen = {
            "pos_drop",
            "blocks.1.drop_path1",
            "blocks.3.mlp.drop1",
            "stages.1.blocks.0.drop_path",
        }
        assert not dropping & frozen
        assert all(
            name.startswith(("head", "blocks.11", "blocks.10", "norm", "fc_norm"))
            for name in dropping
        )
