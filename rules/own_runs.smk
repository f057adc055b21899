"""Runs that were trained elsewhere, taken in place of trainings.

Inputs:  the traces and probabilities that own_runs names; {dataset}/index.parquet
Outputs: traces.parquet, epochs.csv, run.yaml and probabilities.npy, as a training leaves them
"""


rule take_traces:
    input:
        unpack(own_inputs),
    output:
        traces=f"{RESULTS}/{{run}}/traces.parquet",
        epochs=f"{RESULTS}/{{run}}/epochs.csv",
        facts=f"{RESULTS}/{{run}}/run.yaml",
    log:
        f"logs/{config['study']}/take_traces/{{run}}.log",
    wildcard_constraints:
        run=one_of(OWN),
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=time_limit(10),
    params:
        words=own_words,
        facts=own_facts,
        code=code_of_taking,
    shell:
        'exec python "$WORKFLOW/scripts/take_traces.py" --traces {input.traces:q}'
        " --index {input.index:q} {params.words} {params.facts} --output {output.traces:q}"
        " --epochs {output.epochs:q} --run {output.facts:q} > {log:q} 2>&1"


if WITH_PROBABILITIES:

    rule take_probabilities:
        input:
            unpack(own_inputs),
            probabilities=lambda wildcards: OWN[wildcards.run]["probabilities"],
        output:
            f"{RESULTS}/{{run}}/probabilities.npy",
        log:
            f"logs/{config['study']}/take_probabilities/{{run}}.log",
        wildcard_constraints:
            run=one_of(WITH_PROBABILITIES),
        conda:
            "../envs/analysis.yaml"
        threads: 1
        resources:
            mem_mb=memory(4000),
            runtime=time_limit(10),
        params:
            words=own_words,
            code=code_of("take_probabilities"),
        shell:
            'exec python "$WORKFLOW/scripts/take_probabilities.py" --traces {input.traces:q}'
            " --index {input.index:q} {params.words} --probabilities {input.probabilities:q}"
            " --output {output:q} > {log:q} 2>&1"
