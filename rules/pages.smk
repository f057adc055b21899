"""Pages that show the samples of a study, each made from what is stored: nothing is measured or trained.

Inputs:  samples.parquet and traces.parquet of the runs of `random`, {dataset}/index.parquet, the image cache
Outputs: {dataset}/gallery/, a folder of pages that begins with index.html
"""


rule build_gallery:
    input:
        unpack(shown_images),
        runs=read_files(SHOWN),
    output:
        report(
            directory(f"{RESULTS}/{{dataset}}/gallery"),
            htmlindex="index.html",
            caption="../resources/captions/figure.rst",
            category="Samples",
            subcategory="{dataset}",
            labels={"page": "gallery"},
        ),
    log:
        f"logs/{config['study']}/build_gallery/{{dataset}}.log",
    benchmark:
        f"logs/{config['study']}/build_gallery/{{dataset}}.tsv"
    localrule: True  # seconds, as a figure
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=30,
    params:
        caption="The training samples that are most forgotten, never forgotten and never learned, with their traces.",
        files=read_words(SHOWN),
        look=look_words,
        templates=digest_of_templates(),
        code=code_of("build_gallery"),
    shell:
        'exec python "$WORKFLOW/scripts/build_gallery.py" {params.files}'
        " --cache {input.pixels:q} {input.layout:q} {params.look}"
        " --output {output:q} > {log:q} 2>&1"
