"""What an expert switches on: averages, mixing, half precision, freezing; alone and all together."""

import numpy as np
import pandas as pd
import pytest
import timm
import torch
import yaml
from small_run import RECIPE, SIDE, make_run, outputs_in, results_of, write_images

from retention.training.weight_files import read_weights

STEPS = 2  # of 33 samples in batches of 16, of which the last one joins the second


@pytest.fixture
def images(tmp_path):
    """A folder with an index and an image cache."""
    folder = tmp_path / "images"
    folder.mkdir()
    write_images(folder)
    return folder


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


STATEFUL = {"ema_decay": 0.7, "optimizer": "sgd", "momentum": 0.8, "gradient_accumulation": 2}
STATEFUL |= {"gradient_clipping": 1.0, "layer_decay": 0.8, "class_weighting": "balanced"}
VARIED = {"mixup": 0.5, "cutmix": 1.0, "rotation": 90, "vertical_flip": True, "erasing": 0.5}
STATEFUL |= {"augmentation": {**RECIPE["augmentation"], **VARIED}}


@pytest.mark.parametrize(
    ("name", "precision"), [("test_resnet", "fp32"), ("test_vit", "bf16"), ("test_vit", "fp16")]
)
def test_a_run_with_everything_on_resumes_to_the_same_bytes(images, tmp_path, name, precision):
    patches = {"img_size": SIDE, "patch_size": 8, "drop_path_rate": 0.1}
    definition = {"timm": name, "model_kwargs": patches if name == "test_vit" else {}}
    recipe = {**STATEFUL, "epochs": 4, "precision": precision}
    make_run(images, tmp_path / "a", recipe, definition).execute(outputs_in(tmp_path / "whole"))
    for stop in (0, 1, 3):
        epochs = make_run(images, tmp_path / "b", recipe, definition).epochs()
        while next(epochs)["epoch"] < stop:
            continue
    make_run(images, tmp_path / "b", recipe, definition).execute(outputs_in(tmp_path / "resumed"))
    assert results_of(tmp_path / "resumed") == results_of(tmp_path / "whole")
    plain = {key: RECIPE.get(key) for key in STATEFUL} | {"epochs": 4}
    make_run(images, tmp_path / "c", plain, definition).execute(outputs_in(tmp_path / "plain"))
    assert results_of(tmp_path / "plain") != results_of(tmp_path / "whole")
