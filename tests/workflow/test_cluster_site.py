"""slurm/site.yaml held against a Slurm whose commands answer from files."""

import os
import re
import subprocess
import sys

import pytest
import yaml
from configurations import SITE
from sources import ROOT, Workflow

from retention.common.errors import UserError
from retention.common.parts import part_names
from retention.training.locking import exclusive
from retention.workflow import cluster, presence
from retention.workflow.configuration import load_study

ANSWERS = {
    "sbatch": "",
    "sinfo": "cpu|1-00:00:00|(null)\ngpu|8:00:00|gpu:a100:4(S:0-1)\ngpu|8:00:00|gpu:v100:2\nlong|infinite|(null)",
    "scontrol": "MinJobAge               = 300 sec\nAccountingStorageType   = accounting_storage/slurmdbd",
    "sacctmgr": "physics\nretina",
    "sacct": "",
}


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """Return a function that lets Slurm's commands print something else."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def answer(**answers: str) -> None:
        for name, text in {**ANSWERS, **answers}.items():
            (tmp_path / f"{name}.txt").write_text(f"{text}\n")
            command = tmp_path / name
            command.write_text('#!/bin/sh\nwhile read -r line; do echo "$line"; done < "$0.txt"\n')
            command.chmod(0o755)

    answer()
    return answer


def faults(**changes) -> list[str]:
    return list(cluster.slurm_faults({**SITE, "max_hours": 8, **changes}))


def test_a_site_that_fits_has_no_fault(slurm):
    assert faults(account="retina", gpu_type="a100") == []
    assert faults(cpu_partition=None, gpu_partition=None, max_hours=1000) == []
    assert faults(cpu_partition="long", gpu_partition=None, max_hours=1000) == []


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        (
            {"cpu_partition": "cups"},
            "cpu_partition: no partition is called 'cups'; there are cpu, gpu, long",
        ),
        ({"gpu_partition": "cpu"}, "gpu_partition: 'cpu' has no GPU"),
        ({"gpu_type": "h100"}, "gpu_type: no GPU of 'gpu' is a 'h100'; it has a100, v100"),
        ({"max_hours": 12}, "max_hours: is 12, but partition 'gpu' allows 8 hours"),
        (
            {"account": "biology"},
            "account: you have none called 'biology'; yours are physics, retina",
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_slurm_does_not_have_is_named_in_one_line(slurm, changes, fault):
    (line,) = faults(**changes)
    assert line.startswith(f"slurm/site.yaml: {fault}")
    assert "\n" not in line


def test_no_slurm_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    (line,) = faults()
    assert "no Slurm here" in line and "snakemake --cores" in line


def test_a_slurm_that_does_not_answer_is_one_line(slurm, tmp_path):
    (tmp_path / "sinfo").write_text(
        "#!/bin/sh\necho Unable to contact slurm controller >&2\nexit 1\n"
    )
    with pytest.raises(
        UserError, match=r"does not answer: sinfo \(Unable to contact slurm controller"
    ):
        faults()


def test_an_account_without_accounting_is_a_fault(slurm):
    slurm(scontrol="MinJobAge = 300 sec\nAccountingStorageType = accounting_storage/none")
    (line,) = faults(account="retina")
    assert "keeps no accounts; write null" in line


def settings(age: int, accounts: bool) -> dict[str, str]:
    kind = "slurmdbd" if accounts else "none"
    return {"MinJobAge": f"{age} sec", "AccountingStorageType": f"accounting_storage/{kind}"}


@pytest.mark.parametrize(
    ("status", "age", "accounts", "chosen"),
    [
        ("auto", 300, True, "squeue"),
        ("auto", 300, False, "squeue"),
        ("auto", 10, True, "sacct"),
        ("auto", 0, False, "squeue"),  # 0: Slurm never forgets
        ("sacct", 300, True, "sacct"),
        ("squeue", 300, True, "squeue"),
    ],
)
def test_jobs_are_watched_by_what_will_tell(slurm, status, age, accounts, chosen):
    assert cluster.watcher({**SITE, "status": status}, settings(age, accounts)) == chosen


@pytest.mark.parametrize(
    ("status", "age", "line"),
    [
        ("sacct", 300, "is sacct, but this Slurm keeps no accounts"),
        ("auto", 10, "forgets a job 10 s"),
    ],
)
def test_jobs_that_nothing_could_watch_are_a_fault(status, age, line):
    with pytest.raises(UserError, match=line):
        cluster.watcher({**SITE, "status": status}, settings(age, accounts=False))


@pytest.mark.parametrize(
    ("changes", "device", "expected"),
    [
        ({}, "auto", {"gpu": 1, "slurm_partition": "gpu"}),
        ({}, "cpu", {"gpu": 0}),
        ({"gpu_type": "a100"}, "cuda", {"gpu": 1, "slurm_partition": "gpu", "gpu_model": "a100"}),
        ({"gpu_option": "gres"}, "auto", {"gpu": 0, "slurm_partition": "gpu", "gres": "gpu:1"}),
        (
            {"gpu_option": "gres", "gpu_type": "a100"},
            "auto",
            {"gpu": 0, "slurm_partition": "gpu", "gres": "gpu:a100:1"},
        ),
        ({"gpu_partition": None}, "auto", {"gpu": 0}),
    ],
)
def test_a_training_step_asks_for_a_gpu_as_the_site_wants_it(changes, device, expected):
    assert cluster.training_resources({**SITE, **changes}, device, on_cluster=True) == expected


def test_a_workstation_counts_its_gpu_whatever_the_site_says():
    site = {**SITE, "gpu_option": "gres", "gpu_partition": None}
    assert cluster.training_resources(site, "auto", on_cluster=False) == {"gpu": 1}


@pytest.mark.parametrize(
    ("changes", "device", "cores"),
    [
        ({}, "auto", 0),
        ({"gpu_cores": 16}, "auto", 16),
        ({"gpu_cores": 16, "gpu_option": "gres"}, "cuda", 16),
        ({"gpu_cores": 16, "gpu_partition": None}, "auto", 0),
        ({"gpu_cores": 16}, "cpu", 0),
    ],
)
def test_a_clusters_job_with_a_gpu_has_the_cores_that_the_site_says(changes, device, cores):
    site = {**SITE, **changes}
    resources = cluster.training_resources(site, device, on_cluster=True)
    assert cluster.cores_of_gpu_job(site, resources, 0, 1) == cores


def test_a_site_that_says_nothing_of_cores_is_one_of_before(tmp_path):
    (tmp_path / "slurm").mkdir()
    old = {name: value for name, value in SITE.items() if name != "gpu_cores"}
    (tmp_path / "slurm/site.yaml").write_text(yaml.safe_dump(old))
    site = cluster.load_site(tmp_path)
    assert cluster.cores_of_gpu_job(site, cluster.training_resources(site, "auto", True), 0, 1) == 0


@pytest.mark.parametrize(
    ("slots", "cores", "each"), [(4, 32, 7), (1, 64, 8), (2, 6, 2), (3, 2, 1), (0, 32, 0)]
)
def test_a_workstations_gpus_share_all_cores_but_one(slots, cores, each):
    resources = cluster.training_resources(SITE, "auto", False, counts_gpus=slots > 0)
    assert cluster.cores_of_gpu_job({**SITE, "gpu_cores": 3}, resources, slots, cores) == each


def test_cuda_without_a_gpu_partition_is_a_fault():
    with pytest.raises(UserError, match=r"device: is cuda, but .* has gpu_partition: null"):
        cluster.training_resources({**SITE, "gpu_partition": None}, "cuda", on_cluster=True)


def test_a_numbered_gpu_is_none_that_a_clusters_job_could_have():
    with pytest.raises(UserError, match=r"device: is cuda:1, but each job .* write cuda$"):
        cluster.training_resources(SITE, "cuda:1", on_cluster=True)


def test_a_workstation_without_gpus_counts_none():
    assert cluster.training_resources(SITE, "auto", False, counts_gpus=False) == {"gpu": 0}


def test_time_grows_with_attempts_and_is_capped():
    site = {**SITE, "time_factor": 1.5, "max_hours": 10}
    assert [cluster.minutes(site, 240, attempt) for attempt in (1, 2, 3)] == [360, 600, 600]
    assert cluster.minutes({**SITE, "time_factor": 0.001}, 30) == 1


@pytest.mark.parametrize("hours", [0.1, 1, 8, 24])
def test_runs_described_in_one_job_fit_the_time_limit_at_the_last_attempt(hours):
    site = {**SITE, "max_hours": hours}
    together = cluster.described_together(site)
    rows = -(-together // cluster.DESCRIBED_AT_ONCE)
    assert 1 <= together <= 50
    assert rows * cluster.minutes(site, cluster.DESCRIBE_MINUTES, cluster.ATTEMPTS) <= 60 * hours


def test_the_jobs_of_a_study_are_counted():
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    # two data sets: index, cache, 2 × 8 runs of each treatment, findings; descriptions in
    # groups of 50, those of the 32 random runs apart from those of the others
    treatments, findings = (
        len(config["treatments"]),
        len(config["findings"]) + 1 + len(part_names("retention.series")),
    )  # and their multiverse, and the series that figures are drawn from
    runs = 16 * treatments
    treated = -(-32 * (treatments - 1) // 50)
    assert cluster.jobs_of_study(config, SITE) == 2 * (1 + 1 + runs + findings) + 1 + treated
    # a control is trained with `random` alone; of one architecture no overlap,
    # without pruning no pruning_transfer
    config["treatments"] = ["random", "spaced_repetition"]
    config["architectures"], config["control_architectures"] = ["resnet18"], ["deit_small"]
    assert cluster.jobs_of_study(config, SITE) == 2 * (1 + 1 + 8 * 3 + findings - 2) + 1 + 1
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    config["seeds"] = list(range(250))
    runs = 500 * treatments
    assert cluster.jobs_of_study(config, SITE) == 2 * (1 + 1 + runs + findings) + 20 * treatments


def test_files_of_the_papers_study_are_counted():
    """352 runs (6 files of training with the log, 5 of description) and 288 plans (3)."""
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    treatments = load_study(config, ROOT)["treatments"]
    files, records = cluster.files_of_study(config, treatments)
    assert files == 352 * 6 + 352 * 5 + 288 * 3
    assert records == 352 * 5 + 352 * 3 + 288


@pytest.mark.parametrize(
    ("limit", "minutes"),
    [
        ("30:00", 30),
        ("1:00:00", 60),
        ("2-00:00:00", 2880),
        ("1-12:30:00", 2190),
        ("infinite", float("inf")),
    ],
)
def test_slurms_time_limits(limit, minutes):
    assert cluster._minutes_of(limit) == minutes


def test_every_fault_of_the_site_is_one_line(tmp_path):
    (tmp_path / "slurm").mkdir()
    changed = {**SITE, "jobs": "many", "gpu_option": "cards", "acount": "typo"}
    (tmp_path / "slurm/site.yaml").write_text(yaml.safe_dump(changed))
    with pytest.raises(UserError) as error:
        cluster.load_site(tmp_path)
    lines = str(error.value).splitlines()
    assert len(lines) == 3
    assert all(line.startswith("slurm/site.yaml: ") for line in lines)
    assert any(line.startswith("slurm/site.yaml: unknown key(s) acount") for line in lines)
    assert "slurm/site.yaml: jobs: is 'many' (str), expected integer" in lines


@pytest.mark.parametrize("written", ["1-00:00:00", "24:00:00", "'24'"])
def test_a_time_that_is_no_number_of_hours_is_explained(tmp_path, written):
    """YAML reads 24:00:00 as a number, of seconds."""
    (tmp_path / "slurm").mkdir()
    text = (ROOT / "slurm/site.yaml").read_text().replace("max_hours: 24", f"max_hours: {written}")
    (tmp_path / "slurm/site.yaml").write_text(text)
    with pytest.raises(UserError) as error:
        cluster.load_site(tmp_path)
    assert str(error.value).startswith("slurm/site.yaml: max_hours: is ")
    assert "hours as a number: 24, not 24:00:00" in str(error.value)


@pytest.mark.parametrize(
    ("arguments", "runs"),
    [
        (["--profile", "slurm"], True),
        (["--profile", "slurm", "-n"], False),
        (["-np", "--profile", "slurm"], False),
        (["--unlock"], False),
        (["--cores", "1", "--report", "x.zip", "--nolock"], False),
        (["-j4", "runs"], True),
    ],
)
def test_what_only_tells_or_tidies_runs_no_jobs(arguments, runs):
    assert presence.runs_jobs(arguments) is runs


def test_names_that_python_could_evaluate_stay_names(clone: Workflow):
    site = clone.folder / "slurm/site.yaml"
    text = site.read_text()
    for key, value in {
        "account": '"32-64"',
        "cpu_partition": "all",
        "qos": "max",
        "gpu_partition": "open",
        "gpu_account": '"1e3"',
        "gpu_constraint": "a100|h100",
    }.items():
        text = re.sub(rf"(?m)^{key}: +\S+", f"{key}: {value}", text)
    site.write_text(text)
    code, output = clone.snakemake("-n", "--profile", "slurm", "results/paper/plan.txt")
    assert code == 0, output
    index, plan = (
        re.search(rf"rule {rule}:.*?resources: ([^\n]*)", output, re.DOTALL)[1]
        for rule in ("index_dataset", "plan_study")
    )
    for word in ("slurm_partition=all", "slurm_account=32-64", "qos=max"):
        assert word in index.split(", ")
    for word in ("slurm_partition=open", "slurm_account=1e3", "qos=max", "constraint=a100|h100"):
        assert word in plan.split(", ")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to mount a file system")
@pytest.mark.parametrize(
    ("options", "reason"),
    [("ro", "Read-only file system"), ("size=4k", "No space left on device")],
)
def test_a_folder_that_cannot_be_written_is_one_line(clone: Workflow, options, reason):
    records = clone.folder / ".snakemake"
    records.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", records]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount")
    try:
        code, output = clone.snakemake("results/paper/config.yaml")
    finally:
        subprocess.run(["umount", records], check=True)
    assert code != 0
    assert f"{clone.folder}: cannot be written ({reason})" in output
    assert "Traceback" not in output


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to mount a file system")
def test_a_read_only_state_is_one_line(tmp_path):
    folder = tmp_path / "state"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", folder]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount")
    try:
        with pytest.raises(
            UserError, match=r"run/lock: cannot be written \(Read-only file system\)"
        ):
            exclusive(folder / "run").__enter__()
    finally:
        subprocess.run(["umount", folder], check=True)


def test_the_profile_from_another_folder_is_one_line(clone: Workflow):
    command = [sys.executable, "-m", "snakemake", "--profile", "../slurm"]
    done = subprocess.run(command, cwd=clone.folder / "rules", capture_output=True, text=True)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("error: ") and "in the folder that holds it" in last
