"""Which images does a fine-tuned classifier forget? From images to findings, figures and report."""

import gc
import re
import sys
from functools import cache
from pathlib import Path
from shlex import quote

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

min_version("9.27")


configfile: "config.yaml"


ROOT = Path(workflow.basedir)
sys.path.insert(0, str(ROOT / "scripts"))

from retention.common.added_options import keep_said
from retention.common.errors import UserError
from retention.measuring.declaration import RANDOM, DatasetFile, RunFiles, StudyFile
from retention.measuring.image_cache import ImageCache
from retention.multiverse.choices import load_choices
from retention.multiverse.options import complete_options
from retention.pages.rendering import digest_of_templates
from retention.sampling.treatments import needs_schedule
from retention.workflow import cluster, job_code, planted, software
from retention.workflow.code_version import code_version
from retention.workflow.command_line import read_command_line
from retention.workflow.commit import commit_of
from retention.workflow.configuration import ADDED, as_argument, load_study
from retention.workflow.earlier import changes
from retention.workflow.findings import (
    category_of,
    declared,
    declared_series,
    described_treatments,
    drawable,
    figures_of,
    series_of,
    treatments_of,
)
from retention.workflow.gpus import Gpus, gpus_for, taken_out
from retention.workflow.listing import listing_of
from retention.workflow.multiverse import (
    evaluated,
    keep_what_is_said,
    multiverse_digest,
    multiverse_figures,
)
from retention.workflow.notes import new_notes, noted
from retention.workflow.own_runs import (
    has_images,
    lacking_files,
    taken_runs,
    trained_architectures,
    trained_datasets,
    trained_runs,
)
from retention.workflow.option_maps import shortest, whole
from retention.workflow.presence import (
    record_presence,
    refuse_second,
    require_without_braces,
    require_writable,
)
from retention.workflow.propagation import trained_again
from retention.workflow.refused import refused_targets
from retention.workflow.scheduling import start_when_jobs_end
from retention.workflow.shared_names import shared_faults, spelled_as_before
from retention.workflow.shell_words import braces, in_quotes
from retention.workflow.sources import source_runs, with_sources
from retention.workflow.time_limits import digest_of_run, minutes, read_bill

# The graph of a large study is millions of objects that all stay: garbage is sought there in vain.
gc.set_threshold(200_000, 20, 100)

# Only a profile of a cluster, and the jobs it sends there, count nodes.
ON_CLUSTER = workflow.remote_exec or workflow.resource_settings.nodes is not None

DEPLOYMENT = {str(method) for method in workflow.deployment_settings.deployment_method}
try:
    if workflow.is_main_process:
        require_without_braces(ROOT)
        require_writable(Path.cwd())
        refuse_second(Path.cwd())
    read_command_line(config, workflow.config_settings.config or {})
    STUDY = load_study(config, ROOT)
    RUNS_PER_GPU = taken_out(config, "runs_per_gpu")
    ON_OTHER_DEVICE = taken_out(config, "on_other_device")
    keep_what_is_said(config)
    for section in (*ADDED, planted.KEY):
        keep_said(section, config)
    config.update(with_sources(whole(config)))
    STUDY["datasets"] = spelled_as_before(STUDY, config, Path.cwd())
    if workflow.is_main_process:
        if others := list(shared_faults(STUDY, config, Path.cwd())):
            raise UserError("\n".join(others))
        results = f"results/{config['study']}"
        asked = STUDY["findings"], STUDY["left_out"], evaluated(STUDY["multiverse"])
        asked += STUDY["planted"], bool(trained_runs(config))
        if others := list(refused_targets(sys.argv[1:], *asked)):
            raise UserError("\n".join(others))
        for line in [*STUDY["told"], *changes(STUDY, results, config["datasets"])]:
            print(line, file=sys.stderr)
    SITE = cluster.load_site(ROOT)
    BILL = read_bill(f"results/{config['study']}/plan.yaml")
    GPUS = Gpus() if ON_CLUSTER else gpus_for(config["device"], RUNS_PER_GPU)
    TRAINING = cluster.training_resources(
        SITE, config["device"], ON_CLUSTER, counts_gpus=GPUS.slots > 0
    )
    # No profile can say so: what profiles/default says is stronger than --profile. `--resources gpu=N` is stronger than this.
    if GPUS.slots and "gpu" not in workflow.global_resources:
        workflow.register_resource("gpu", GPUS.slots)
    AT_ONCE = workflow.global_resources["gpu"].value if GPUS.slots else 0
    GPU_CORES = cluster.cores_of_gpu_job(
        SITE,
        TRAINING,
        min(GPUS.slots, AT_ONCE),
        workflow.resource_settings.cores or 1,
    )
    software.prepare(DEPLOYMENT, config, ROOT)
except UserError as error:
    raise WorkflowError(str(error))

RESULTS = f"results/{config['study']}"
MULTIVERSE = evaluated(STUDY["multiverse"])
FIGURES = drawable(figures_of(STUDY["findings"]), config) | multiverse_figures(
    MULTIVERSE
)
COPIES = STUDY["planted"]
NOTED = noted(RESULTS, [*STUDY["datasets"], *COPIES])


wildcard_constraints:
    dataset=r"[^/]+",
    source=r"[^/]+",
    architecture=r"[^/]+",
    treatment=r"[^/]+",
    seed=r"\d+",
    size=r"\d+",
    finding=r"[^/]+",


# On a cluster each job has its own GPU; on a workstation jobs share what there are.
resource_scopes:
    gpu="local",
    describing="local",


# One image for every rule, used by --sdm apptainer; conda environments stand in the rules.
container: config["container"]


onstart:
    check_images()
    record_presence(Path.cwd())
    start_when_jobs_end(workflow.scheduler)
    for line in trained_again(workflow.dag):
        print(line, file=sys.stderr)


# Neither runs in a dry run, nor in the jobs of a cluster.
onsuccess:
    tell_notes()


onerror:
    tell_notes()


report: "resources/captions/workflow.rst"


rule all:
    input:
        f"{RESULTS}/report.zip",


include: "rules/common.smk"
include: "rules/results.smk"
include: "rules/data.smk"
include: "rules/train.smk"


if STUDY["own_runs"]:

    include: "rules/own_runs.smk"


include: "rules/describe.smk"
include: "rules/conventions.smk"
include: "rules/findings.smk"
include: "rules/multiverse.smk"
include: "rules/series.smk"
include: "rules/figures.smk"
include: "rules/suspects.smk"
include: "rules/planted.smk"
include: "rules/pages.smk"
include: "rules/report.smk"
include: "rules/tables.smk"
include: "rules/targets.smk"
