"""Pages that show samples, each a file or a folder that opens without a network.

Inputs:  samples.parquet and traces.parquet of the runs of `random`, {dataset}/index.parquet, the image cache
Outputs: {dataset}/explorer.html
"""


rule build_explorer:
    input:
        unpack(shown_images),
        runs=read_files(SHOWN),
    output:
        report(
            f"{RESULTS}/{{dataset}}/explorer.html",
            caption="../resources/captions/explorer.rst",
            category="Samples",
            subcategory="{dataset}",
            labels={"page": "explorer"},
        ),
    log:
        f"logs/{config['study']}/build_explorer/{{dataset}}.log",
    benchmark:
        f"logs/{config['study']}/build_explorer/{{dataset}}.tsv"
    localrule: True  # seconds, as a figure
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=30,
    params:
        files=read_words(SHOWN),
        look=look_words,
        templates=digest_of_templates(),
        code=code_of("build_explorer"),
    shell:
        'exec python "$WORKFLOW/scripts/build_explorer.py"'
        " {params.files} --cache {input.pixels:q} {input.layout:q} {params.look}"
        " --output {output:q} > {log:q} 2>&1"
