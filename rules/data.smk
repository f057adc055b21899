"""Images in: fetched, listed, split and decoded once.

Inputs:  the data-set definitions (scripts/retention/resources/datasets.yaml, dataset_definitions)
Outputs: data/raw/, data/index/, data/cache/ (shared by studies); {dataset}/index.parquet,
         classes.csv, duplicates.csv; notes.txt beside each: what a person should know
"""


rule fetch_dataset:
    output:
        "data/raw/{dataset}/fetched.yaml",
    log:
        "logs/fetch_dataset/{dataset}.log",
    benchmark:
        "logs/fetch_dataset/{dataset}.tsv"
    conda:
        "../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=120,
    params:
        definition=json_of("datasets", "dataset"),
        code=code_of_adapter("fetch_dataset"),
    shell:
        'exec python "$WORKFLOW/scripts/fetch_dataset.py"'
        " --dataset {wildcards.dataset:q} --definition {params.definition:q}"
        " --output {output:q} > {log:q} 2>&1"


rule index_dataset:
    input:
        fetched="data/raw/{dataset}/fetched.yaml",
    output:
        images="data/index/{dataset}/images.parquet",
        quarantine="data/index/{dataset}/quarantine.csv",
        notes="data/index/{dataset}/notes.txt",
    log:
        "logs/index_dataset/{dataset}.log",
    benchmark:
        "logs/index_dataset/{dataset}.tsv"
    conda:
        "../envs/training.yaml"
    threads: READING_CORES
    resources:
        mem_mb=memory(4000),
        runtime=time_limit(60),
    params:
        definition=json_of("datasets", "dataset"),
        # images that were added or removed make another index
        listing=lambda wildcards: listing_of(STUDY["datasets"][wildcards.dataset]),
        code=code_of_adapter("index_dataset"),
    shell:
        'exec python "$WORKFLOW/scripts/index_dataset.py"'
        " --dataset {wildcards.dataset:q} --definition {params.definition:q}"
        " --fetched {input.fetched:q} --threads {threads}"
        " --output {output.images:q} --quarantine {output.quarantine:q}"
        " --notes {output.notes:q} > {log:q} 2>&1"


rule split_dataset:
    input:
        images="data/index/{dataset}/images.parquet",
    output:
        index=f"{RESULTS}/{{dataset}}/index.parquet",
        classes=f"{RESULTS}/{{dataset}}/classes.csv",
        duplicates=f"{RESULTS}/{{dataset}}/duplicates.csv",
        digest=f"{RESULTS}/{{dataset}}/split.yaml",
        notes=f"{RESULTS}/{{dataset}}/notes.txt",
    log:
        f"logs/{config['study']}/split_dataset/{{dataset}}.log",
    benchmark:
        f"logs/{config['study']}/split_dataset/{{dataset}}.tsv"
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        split=json_of("splits", "dataset"),
        code=code_of("split_dataset"),
    shell:
        'exec python "$WORKFLOW/scripts/split_dataset.py" --dataset {wildcards.dataset:q}'
        " --split {params.split:q} --images {input.images:q}"
        " --output {output.index:q} --classes {output.classes:q}"
        " --duplicates {output.duplicates:q} --digest {output.digest:q}"
        " --notes {output.notes:q} > {log:q} 2>&1"


rule cache_images:
    input:
        images="data/index/{dataset}/images.parquet",
    output:
        pixels="data/cache/{dataset}/{size}/pixels.npy",
        layout="data/cache/{dataset}/{size}/layout.parquet",
        digest="data/cache/{dataset}/{size}/pixels.yaml",
        notes="data/cache/{dataset}/{size}/notes.txt",
    log:
        "logs/cache_images/{dataset}_{size}.log",
    benchmark:
        "logs/cache_images/{dataset}_{size}.tsv"
    conda:
        "../envs/training.yaml"
    threads: READING_CORES
    resources:
        mem_mb=memory(4000),
        runtime=time_limit(120),
    params:
        definition=json_of("datasets", "dataset"),
        code=code_of_adapter("cache_images"),
    shell:
        'exec python "$WORKFLOW/scripts/cache_images.py"'
        " --dataset {wildcards.dataset:q} --definition {params.definition:q}"
        " --images {input.images:q} --size {wildcards.size} --threads {threads}"
        " --pixels {output.pixels:q} --layout {output.layout:q} --digest {output.digest:q}"
        " --notes {output.notes:q} > {log:q} 2>&1"
