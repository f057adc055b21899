"""How long a training job may take: by the bill of that very run, and on that kind of device."""

import json
import re
import shlex

import pytest
from planned_study import RECIPE_OF_PLAN
from small_run import DEFINITION
from sources import Workflow

from retention.common.errors import UserError
from retention.workflow.cluster import kind_of_device, training_resources
from retention.workflow.time_limits import Bill, Estimate, digest_of_run, read_bill, write_bill

OF = digest_of_run({"timm": "a"}, {"epochs": 3}, {})
SITE = {"gpu_partition": "gpu", "gpu_option": "gpus", "gpu_type": None, "gpu_account": None}
SITE |= {"gpu_qos": None, "gpu_constraint": None}


def bill(seconds: float, megabytes: float = 0.0, device: str = "cuda") -> Bill:
    return Bill(device, "NVIDIA H200", {("digits", "1e5"): Estimate(seconds, OF, megabytes)})


@pytest.mark.parametrize(
    ("seconds", "expected"), [(1, 30), (300, 30), (301, 31), (3600, 195), (86_400, 4335)]
)
def test_a_run_is_given_three_times_its_estimate_and_a_quarter_of_an_hour(seconds, expected):
    assert bill(seconds).minutes("digits", "1e5", OF, "cuda") == expected
    assert bill(seconds).minutes("digits", "1e5", OF, "auto") == expected


@pytest.mark.parametrize(
    ("megabytes", "device", "expected"),
    [(100, "cuda", 8000), (4900, "cuda", 9900), (100, "cpu", 8000), (4900, "cpu", 19700)],
)
def test_a_large_model_is_given_the_memory_of_its_states(megabytes, device, expected):
    found = bill(1, megabytes, device)
    assert found.megabytes("digits", "1e5", OF, "auto") == expected
    assert found.megabytes("digits", "1e5", "other", "auto") == 8000


def test_an_estimate_of_something_else_counts_for_nothing():
    found = bill(1)
    other = digest_of_run({"timm": "a"}, {"epochs": 4}, {})
    assert found.minutes("digits", "1e5", other, "cuda") == 240
    assert found.minutes("digits", "1e5", OF, "cpu") == 240
    assert found.minutes("photos", "1e5", OF, "cuda") == 240
    assert Bill().minutes("digits", "1e5", OF, "auto") == 240


def test_a_bill_is_read_as_it_was_written(tmp_path):
    write_bill(tmp_path / "plan.yaml", bill(12.5, 88.1))
    assert read_bill(tmp_path / "plan.yaml") == bill(12.5, 88.1)
    older = (tmp_path / "plan.yaml").read_text().replace("state_megabytes: 88.1", "")
    (tmp_path / "plan.yaml").write_text(older)
    assert read_bill(tmp_path / "plan.yaml") == bill(12.5)
    assert read_bill(tmp_path / "none.yaml") == Bill()


@pytest.mark.parametrize("text", ["", "[", "runs: 3", "device: cpu\nruns: {a: {b: {of: x}}}"])
def test_what_is_no_bill_is_one_line(tmp_path, text):
    (tmp_path / "plan.yaml").write_text(text)
    with pytest.raises(UserError, match=r"plan\.yaml: holds no bill .*; delete it, and") as error:
        read_bill(tmp_path / "plan.yaml")
    assert "\n" not in str(error.value)


def test_the_kind_of_device_is_that_which_jobs_ask_for():
    def kind(device, **site):
        return kind_of_device(training_resources(SITE | site, device, True), True)

    assert kind("auto") == kind("cuda") == kind("auto", gpu_option="gres") == "cuda"
    assert kind("cpu") == kind("auto", gpu_partition=None) == "cpu"
    assert kind_of_device(training_resources(SITE, "auto", False), False) == "auto"


def test_the_plan_tells_the_limit_that_jobs_ask_for(plan):
    text, found = plan("cpu")
    assert found.runs["digits", "resnet"].seconds == pytest.approx(7976, rel=1e-3)
    assert (found.device, bool(found.device_name)) == ("cpu", True)
    # 3 times 7,976 s and 15 minutes are 414, twice that by the site.
    assert re.search(r"time limit\n.* 13\.8 h\n", text)
    assert "Each job that trains asks for its time limit: 3 times" in text
    assert "too little" not in text
    assert "Pretrained" not in text


def test_the_plan_tells_what_pretrainings_cost_and_their_limits(plan):
    text, found = plan("cpu", pretrained=["resnet"])
    # Eight epochs of 997 s, as the run has, whose evaluations take no time here.
    assert found.runs["shapes", "resnet"].seconds == pytest.approx(7976, rel=1e-3)
    assert found.runs["shapes", "resnet"].of == digest_of_run(DEFINITION, RECIPE_OF_PLAN, {})
    before, after = text.split("Pretrained before, once each:")
    assert "shapes" not in before
    assert re.search(r"time limit\n *shapes .* 2\.22 h .* 13\.8 h\n", after)
    assert "1 run, of each data set" in after
    assert "2.22 h one after another (and 2.22 h of pretraining) on" in after
    text, _ = plan("auto", max_hours=2, pretrained=["resnet"])
    assert "too little for resnet on digits, resnet on shapes: raise" in text


def test_the_plan_says_where_its_estimates_are_of_another_kind_of_device(plan):
    text, _ = plan("cuda")
    assert re.search(r"time limit\n.* 8 h\n", text)
    assert "asks for 8 h: this was measured on cpu, the jobs train on cuda, and how long" in text


def test_the_plan_says_where_the_site_allows_too_little(plan):
    text, _ = plan("auto", max_hours=2)
    assert "another kind of device each asks for 2 h." in text
    assert "too little for resnet on digits: raise time_factor or max_hours" in text


RUNS = [f"results/digits_short/digits/runs/{a}/random/seed0/run.yaml" for a in ("resnet", "vit")]
STUDY = ("--configfile", "examples/digits/config.yaml", "examples/digits/short.yaml")


def told(clone: Workflow, *targets: str) -> str:
    """Return what a dry run on a cluster says, commands of jobs with it."""
    code, output = clone.snakemake("-n", "-p", "--profile", "slurm", *STUDY, "--", *targets)
    assert code == 0, output
    return output


def limits(clone: Workflow) -> dict[str, int]:
    """Return the minutes that fine-tunings and pretrainings of two architectures ask for."""
    return limits_in(told(clone, *RUNS))


def limits_in(output: str) -> dict[str, int]:
    pattern = r"rule (finetune|pretrain_backbone):.*?architecture=(\w+).*?runtime=(\d+)"
    found = re.findall(pattern, output, re.DOTALL)
    return {f"{rule} {architecture}": int(limit) for rule, architecture, limit in found}


def test_jobs_ask_for_what_the_plan_of_their_study_says(clone: Workflow):
    unknown = dict.fromkeys(["finetune resnet", "finetune vit"], 240)
    unknown |= dict.fromkeys(["pretrain_backbone resnet", "pretrain_backbone vit"], 240)
    plan = "results/digits_short/plan"
    output = told(clone, *RUNS, f"{plan}.txt")
    assert limits_in(output) == unknown
    command = next(line for line in output.splitlines() if "plan_study.py" in line)
    words = shlex.split(command)
    given = {
        name: json.loads(words[words.index(f"--{name}") + 1])
        for name in ("architectures", "recipes", "store", "pretrainings")
    }
    assert words[words.index("--trains-on") + 1] == "cpu"
    assert words[words.index("--source-index") + 1] == "results/digits_short/mnist/index.parquet"
    of = digest_of_run(
        given["architectures"]["vit"], given["recipes"]["digits"]["vit"], given["store"]
    )
    before = given["pretrainings"]["resnet"]
    assert before["source"] == given["pretrainings"]["vit"]["source"] == "mnist"
    estimates = {("digits", "vit"): Estimate(6000, of), ("digits", "resnet"): Estimate(6000, "x")}
    of = digest_of_run(given["architectures"]["resnet"], before["recipe"], {})
    estimates |= {("mnist", "resnet"): Estimate(3600, of), ("mnist", "vit"): Estimate(3600, of)}
    write_bill(clone.folder / f"{plan}.yaml", Bill("cpu", "a CPU", estimates))
    assert limits(clone) == unknown | {"finetune vit": 315, "pretrain_backbone resnet": 195}
    write_bill(clone.folder / f"{plan}.yaml", Bill("cuda", "a GPU", estimates))
    assert limits(clone) == unknown
    (clone.folder / f"{plan}.yaml").write_text("resnet: 3 h")
    code, output = clone.snakemake("-n", *STUDY)
    assert code != 0
    assert f"{plan}.yaml: holds no bill as `snakemake plan` writes it; delete it" in output
