"""What others count of the same traces: forgetting, correctness, EL2N at one epoch.

Inputs:  traces.parquet of a run
Outputs: conventions.parquet beside it, a row per sample
"""


rule describe_conventions:
    input:
        f"{RUN}/traces.parquet",
    output:
        f"{RUN}/conventions.parquet",
    log:
        f"logs/{config['study']}/describe_conventions/{{dataset}}_{{architecture}}_{{treatment}}_{{seed}}.log",
    benchmark:
        f"logs/{config['study']}/describe_conventions/{{dataset}}_{{architecture}}_{{treatment}}_{{seed}}.tsv"
    localrule: True  # seconds, and nothing of a study waits for it
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=memory(3000),
        runtime=time_limit(30),
    params:
        options=as_argument(STUDY["conventions"]),
        code=code_of("describe_conventions"),
    shell:
        'exec python "$WORKFLOW/scripts/describe_conventions.py" --traces {input:q}'
        " --conventions {params.options:q} --output {output:q} > {log:q} 2>&1"
