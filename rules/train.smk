"""Fine-tuning, one job per (dataset, architecture, treatment, seed), and where its weights come from.

Inputs:  {dataset}/index.parquet, data/cache/, the recipes; samples.parquet of a schedule's sources
Outputs: data/weights/, pretrained/{source}/, {dataset}/runs/{architecture}/{treatment}/seed{seed}/;
         reviews.parquet there, how often each sample is presented, where a treatment has a schedule;
         plan.txt, what all of it will cost, and plan.yaml, by which trainings get their time limits
"""


rule fetch_weights:
    output:
        weights="data/weights/{architecture}.safetensors",
        digest="data/weights/{architecture}.yaml",
    log:
        "logs/fetch_weights/{architecture}.log",
    benchmark:
        "logs/fetch_weights/{architecture}.tsv"
    conda:
        "../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        definition=json_of("architectures", "architecture"),
        code=code_of("fetch_weights"),
    shell:
        'exec python "$WORKFLOW/scripts/fetch_weights.py"'
        " --architecture {wildcards.architecture:q}"
        " --definition {params.definition:q} --output {output.weights:q}"
        " --digest {output.digest:q} > {log:q} 2>&1"


rule plan_study:
    input:
        index=expand(
            f"{RESULTS}/{{dataset}}/index.parquet", dataset=trained_datasets(config)
        ),
        sources=expand(
            f"{RESULTS}/{{source}}/index.parquet",
            source=sorted({found["source"] for found in pretrainings().values()}),
        ),
    output:
        text=f"{RESULTS}/plan.txt",
        bill=f"{RESULTS}/plan.yaml",
    log:
        f"logs/{config['study']}/plan_study.log",
    benchmark:
        f"logs/{config['study']}/plan_study.tsv"
    conda:
        "../envs/training.yaml"
    threads: max(2, GPU_CORES)
    resources:
        **TRAINING,
        mem_mb=memory(8000),
        runtime=time_limit(30),
    params:
        architectures=as_written(STUDY["architectures"]),
        recipes=as_argument(STUDY["recipes"]),
        pretrainings=as_written(pretrainings()),
        store=as_argument(STUDY["store"]),
        names=TRAINED,
        runs_each=[
            len(config["seeds"]) * cluster.treatments_of(config, name)
            for name in TRAINED
        ],
        copies=as_text(
            " ".join(
                f"--{option} {quote(as_argument(runs))}"
                for option, runs in {
                    "planted": planted.runs_of(config),
                    "own": taken_runs(config),
                }.items()
                if runs
            )
        ),
        files=cluster.files_of_study(config, STUDY["treatments"]),
        jobs=cluster.jobs_of_study(config, SITE),
        site=as_argument({key: SITE[key] for key in ("time_factor", "max_hours")}),
        trains_on=TRAINING_DEVICE,
        device=config["device"],
        code=code_of("plan_study"),
    shell:
        'exec python "$WORKFLOW/scripts/plan_study.py"'
        " --architectures {params.architectures:q} --recipes {params.recipes:q}"
        " --pretrainings {params.pretrainings:q} --source-index {input.sources:q}"
        " --store {params.store:q} --names {params.names:q} --runs-each {params.runs_each}"
        " {params.copies} --files {params.files} --jobs {params.jobs}"
        " --site {params.site:q} --trains-on {params.trains_on} --index {input.index:q}"
        " --device {params.device} --output {output.text:q} --bill {output.bill:q} > {log:q} 2>&1"


rule pretrain_backbone:
    input:
        unpack(lambda wildcards: images_of(wildcards, wildcards.source)),
    output:
        weights=f"{RESULTS}/pretrained/{{source}}/{{architecture}}.safetensors",
        epochs=f"{RESULTS}/pretrained/{{source}}/{{architecture}}.csv",
        digest=f"{RESULTS}/pretrained/{{source}}/{{architecture}}.yaml",
    log:
        f"logs/{config['study']}/pretrain_backbone/{{source}}_{{architecture}}.log",
    benchmark:
        f"logs/{config['study']}/pretrain_backbone/{{source}}_{{architecture}}.tsv"
    conda:
        "../envs/training.yaml"
    threads: training_cores("pretraining_threads", "architecture")
    resources:
        **TRAINING,
        mem_mb=billed_memory(billed_pretraining),
        runtime=billed_limit(billed_pretraining),
    params:
        definition=json_of("architectures", "architecture"),
        recipe=json_of("pretraining", "architecture"),
        study=config["study"],
        device=config["device"],
        pins=TRAINING_PINS,
        code=code_of("pretrain_backbone"),
        # As that of finetune. States of runs are called seed<N>, so it is none of theirs.
        state=f"{RESULTS}/state/{{source}}/{{architecture}}/pretraining/backbone",
    shell:
        'exec python "$WORKFLOW/scripts/pretrain_backbone.py"'
        " --study {params.study:q} --source {wildcards.source:q}"
        " --architecture {wildcards.architecture:q} --definition {params.definition:q}"
        " --recipe {params.recipe:q} --index {input.index:q} --pixels {input.pixels:q}"
        " --layout {input.layout:q} --images {input.images:q} --split {input.split:q}"
        " --code-version {params.code} --device {params.device} --state {params.state:q}"
        " --output {output.weights:q} --digest {output.digest:q}"
        " --log-table {output.epochs:q} > {log:q} 2>&1"


rule schedule_reviews:
    input:
        index=f"{RESULTS}/{{dataset}}/index.parquet",
        samples=review_sources,
    output:
        f"{RUN}/reviews.parquet",
    log:
        f"logs/{config['study']}/schedule_reviews/{{dataset}}_{{architecture}}_{{treatment}}_{{seed}}.log",
    benchmark:
        f"logs/{config['study']}/schedule_reviews/{{dataset}}_{{architecture}}_{{treatment}}_{{seed}}.tsv"
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        treatment=json_of("treatments", "treatment"),
        epochs=lambda wildcards: STUDY["recipes"][wildcards.dataset][
            wildcards.architecture
        ]["epochs"],
        study=config["study"],
        code=code_of_sampler("schedule_reviews"),
    shell:
        'exec python "$WORKFLOW/scripts/schedule_reviews.py"'
        " --study {params.study:q} --dataset {wildcards.dataset:q}"
        " --architecture {wildcards.architecture:q} --treatment {wildcards.treatment:q}"
        " --seed {wildcards.seed} --treatment-definition {params.treatment:q}"
        " --epochs {params.epochs} --index {input.index:q} --samples {input.samples:q}"
        " --output {output:q} > {log:q} 2>&1"


# No `benchmark`: for that Snakemake sums the page table of a job twice a second, which for torch's gigabyte takes 16 ms and
# holds up the training. run.yaml says seconds and peak memory.
rule finetune:
    input:
        unpack(finetune_inputs),
    output:
        **OPTIONAL,
        traces=f"{RUN}/traces.parquet",
        epochs=f"{RUN}/epochs.csv",
        run=f"{RUN}/run.yaml",
        centroids=f"{RUN}/class_centroids.npy",
    log:
        f"logs/{config['study']}/finetune/{{dataset}}_{{architecture}}_{{treatment}}_{{seed}}.log",
    wildcard_constraints:
        dataset=trained_here(),
    conda:
        "../envs/training.yaml"
    threads: training_cores("threads", "dataset", "architecture")
    resources:
        **TRAINING,
        mem_mb=billed_memory(billed_run),
        runtime=billed_limit(billed_run),
    params:
        definition=json_of("architectures", "architecture"),
        recipe=json_of("recipes", "dataset", "architecture"),
        treatment=json_of("treatments", "treatment"),
        store=as_argument(STUDY["store"]),
        study=config["study"],
        device=config["device"],
        pins=TRAINING_PINS,
        code=code_of_sampler("finetune"),
        # Not an output: Snakemake deletes a failed job's outputs, and this is what it resumes from.
        state=f"{RESULTS}/state/{{dataset}}/{{architecture}}/{{treatment}}/seed{{seed}}",
        optional=lambda wildcards, input, output: " ".join(
            [
                f"--{name} {in_quotes(input[name])}"
                for name in ("weights", "tensors", "reviews")
                if name in input.keys()
            ]
            + [
                f"--{name.replace('_', '-')} {in_quotes(output[name])}"
                for name in OPTIONAL
            ]
        ),
    shell:
        'exec python "$WORKFLOW/scripts/finetune.py"'
        " --study {params.study:q} --dataset {wildcards.dataset:q}"
        " --architecture {wildcards.architecture:q} --treatment {wildcards.treatment:q}"
        " --seed {wildcards.seed} --definition {params.definition:q}"
        " --recipe {params.recipe:q} --treatment-definition {params.treatment:q}"
        " --store {params.store:q} --index {input.index:q} --pixels {input.pixels:q}"
        " --layout {input.layout:q} --images {input.images:q} --split {input.split:q}"
        " --code-version {params.code} --device {params.device}"
        " --state {params.state:q} --traces {output.traces:q} --epochs {output.epochs:q}"
        " --run {output.run:q} --centroids {output.centroids:q} {params.optional}"
        " > {log:q} 2>&1"
