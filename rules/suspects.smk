"""Samples whose labels are probably wrong, ranked by what the runs of `random` made of them; controls are not asked.

Inputs:  samples.parquet and traces.parquet of the runs of `random`, their probabilities.npy where the study keeps them,
         {dataset}/index.parquet, {dataset}/duplicates.csv
Outputs: {dataset}/suspects.csv, suspects_held_out.csv, suspects_classes.csv, and suspects.txt, how they begin in words
"""


rule rank_suspects:
    input:
        read_files(RANKED),
    output:
        training=f"{RESULTS}/{{dataset}}/suspects.csv",
        held_out=f"{RESULTS}/{{dataset}}/suspects_held_out.csv",
        classes=f"{RESULTS}/{{dataset}}/suspects_classes.csv",
        text=f"{RESULTS}/{{dataset}}/suspects.txt",
    log:
        f"logs/{config['study']}/rank_suspects/{{dataset}}.log",
    benchmark:
        f"logs/{config['study']}/rank_suspects/{{dataset}}.tsv"
    localrule: True  # seconds, as a page
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=memory(3000),
        runtime=time_limit(30),
    params:
        files=read_words(RANKED),
        options=as_argument(STUDY["suspects"]),
        code=code_of("rank_suspects"),
    shell:
        'exec python "$WORKFLOW/scripts/rank_suspects.py" {params.files}'
        " --suspects {params.options:q} --output {output.training:q}"
        " --held-out {output.held_out:q} --classes {output.classes:q} > {output.text:q} 2> {log:q}"
