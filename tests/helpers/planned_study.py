"""A study of one run as `plan_study` plans it, with a speed that is planted."""

import json

from small_run import DEFINITION, RECIPE, write_images

from retention.commands import plan_study
from retention.training.cost import Throughput
from retention.workflow.time_limits import Bill, digest_of_run, read_bill

RECIPE_OF_PLAN = {**RECIPE, "epochs": 8, "evaluation_precision": "bf16"}


def planner(tmp_path, monkeypatch):
    """Return a function that plans a study of one run, which takes 997 s an epoch, and returns what it wrote."""
    folder, sources = tmp_path / "digits", tmp_path / "shapes"
    for made in (folder, sources):
        made.mkdir()
        write_images(made)
    speed = Throughput(0.0331, 1e9, 1e9, 1e9, 0, 1e9, 1000)
    measured = []

    def measure(definition, recipe, *_):
        measured.append(recipe["evaluation_precision"])
        return speed

    monkeypatch.setattr(plan_study, "measure_throughput", measure)

    def planned(trains_on: str, max_hours: float = 24, pretrained=(), more=()) -> tuple[str, Bill]:
        recipe = RECIPE_OF_PLAN
        maps = {"architectures": {"resnet": DEFINITION}, "recipes": {"digits": {"resnet": recipe}}}
        maps |= {"store": {}, "site": {"time_factor": 2.0, "max_hours": max_hours}}
        maps["pretrainings"] = {name: {"source": "shapes", "recipe": recipe} for name in pretrained}
        words = [word for key, value in maps.items() for word in (f"--{key}", json.dumps(value))]
        words += ["--names", "resnet", "--runs-each", "1", "--files", "1", "1", "--jobs", "1"]
        words += ["--index", str(folder / "index.parquet"), "--device", "cpu"]
        if pretrained:
            words += ["--source-index", str(sources / "index.parquet")]
        words += ["--trains-on", trains_on, "--output", str(tmp_path / "plan.txt")]
        plan_study.main([*words, "--bill", str(tmp_path / "plan.yaml"), *more])
        # Pretrainings evaluate in fp32, whatever their recipe says.
        assert measured == ["bf16", *("fp32" for _ in pretrained)]
        measured.clear()
        found = read_bill(tmp_path / "plan.yaml")
        assert found.runs["digits", "resnet"].of == digest_of_run(DEFINITION, recipe, {})
        return (tmp_path / "plan.txt").read_text(), found

    return planned
