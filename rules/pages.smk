"""Pages that show the samples of a study, each made from what is stored: nothing is measured or trained.

Inputs:  samples.parquet and traces.parquet of the runs of `random`, {dataset}/index.parquet, the image cache, suspects.csv
         and suspects_held_out.csv
Outputs: {dataset}/gallery/, a folder of pages that begins with index.html, and {dataset}/explorer.html
"""


rule build_gallery:
    input:
        unpack(shown_images),
        runs=read_files(SHOWN),
        suspects=SUSPECTS,
    output:
        directory(f"{RESULTS}/{{dataset}}/gallery"),
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
        files=read_words(SHOWN),
        look=look_words,
        cache=shown_words,
        templates=digest_of_templates(),
        code=code_of("build_gallery"),
    shell:
        'exec python "$WORKFLOW/scripts/build_gallery.py" {params.files}'
        " {params.cache} --suspects {input.suspects:q} {params.look}"
        " --output {output:q} > {log:q} 2>&1"


rule build_explorer:
    input:
        unpack(shown_images),
        runs=read_files(SHOWN),
        suspects=SUSPECTS,
    output:
        f"{RESULTS}/{{dataset}}/explorer.html",
    log:
        f"logs/{config['study']}/build_explorer/{{dataset}}.log",
    benchmark:
        f"logs/{config['study']}/build_explorer/{{dataset}}.tsv"
    localrule: True
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=memory(3000),
        runtime=time_limit(30),
    params:
        files=read_words(SHOWN),
        look=look_words,
        cache=shown_words,
        templates=digest_of_templates(),
        code=code_of("build_explorer"),
    shell:
        'exec python "$WORKFLOW/scripts/build_explorer.py" {params.files}'
        " {params.cache} --suspects {input.suspects:q} {params.look}"
        " --output {output:q} > {log:q} 2>&1"
