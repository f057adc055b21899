"""What happened to each sample of a run: forgetting events, decay constants, confusions, counts.

Inputs:  traces.parquet of a run, {dataset}/index.parquet
Outputs: samples.parquet, confusions.csv and epoch_counts.csv beside the traces
"""


rule describe_samples:
    input:
        traces=f"{RUN}/traces.parquet",
        index=f"{RESULTS}/{{dataset}}/index.parquet",
    output:
        samples=f"{RUN}/samples.parquet",
        confusions=f"{RUN}/confusions.csv",
        epoch_counts=f"{RUN}/epoch_counts.csv",
    log:
        f"logs/{config['study']}/describe_samples/{{dataset}}_{{architecture}}_{{treatment}}_{{seed}}.log",
    benchmark:
        f"logs/{config['study']}/describe_samples/{{dataset}}_{{architecture}}_{{treatment}}_{{seed}}.tsv"
    # A cluster gets one job for many runs, four of them at a time: profiles/default caps `describing`.
    # The treated runs have jobs of their own: they are trained after the random ones are described.
    group:
        lambda wildcards: (
            "describe" if wildcards.treatment == "random" else "describe_treated"
        )
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        describing=int(ON_CLUSTER),
        mem_mb=memory(3000),
        runtime=time_limit(cluster.DESCRIBE_MINUTES),
    params:
        dynamics=as_argument(STUDY["dynamics"]),
        code=code_of("describe_samples", job_code.of_fits(config["dynamics"]["fits"])),
    shell:
        'exec python "$WORKFLOW/scripts/describe_samples.py"'
        " --traces {input.traces:q} --index {input.index:q}"
        " --output {output.samples:q} --confusions {output.confusions:q}"
        " --epoch-counts {output.epoch_counts:q}"
        " --dynamics {params.dynamics:q} > {log:q} 2>&1"
