"""The study in words, and everything in one file to pass on.

Inputs:  findings, paper_comparison.csv, paper_arithmetic.csv, coherence.csv, multiverse_match_summary.csv, run.yaml of the
         runs that findings read, epoch_counts.csv and samples.parquet of those of `random`, notes.txt of the data sets
Outputs: config.yaml, summary.md and report.zip of the study, which opens with index.html
"""


rule record_configuration:
    output:
        f"{RESULTS}/config.yaml",
    log:
        f"logs/{config['study']}/record_configuration.log",
    benchmark:
        f"logs/{config['study']}/record_configuration.tsv"
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        configuration=as_written(shortest(config)),
        code=code_of("record_configuration"),
    shell:
        'exec python "$WORKFLOW/scripts/record_configuration.py"'
        " --configuration {params.configuration:q} --output {output:q}"
        " > {log:q} 2>&1"


rule write_summary:
    input:
        findings=finding_files,
        multiverse=choice_files,
        paper=f"{RESULTS}/paper_comparison.csv",
        arithmetic=f"{RESULTS}/paper_arithmetic.csv",
        coherence=f"{RESULTS}/coherence.csv",
        matches=lambda wildcards: match_files(wildcards, MATCH_FILES[:2]),
        classes=expand(f"{RESULTS}/{{dataset}}/classes.csv", dataset=config["datasets"]),
        duplicates=expand(
            f"{RESULTS}/{{dataset}}/duplicates.csv", dataset=config["datasets"]
        ),
        notes=note_files,
        planted=recovery_files,
        runs=told_files,
        epoch_counts=random_files("epoch_counts.csv"),
        samples=random_files("samples.parquet"),
    output:
        report(
            f"{RESULTS}/summary.md",
            caption="../resources/captions/summary.rst",
            category="Summary",
            subcategory=config["study"],
            labels={"summary": "the findings in words"},
        ),
    log:
        f"logs/{config['study']}/write_summary.log",
    benchmark:
        f"logs/{config['study']}/write_summary.tsv"
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        findings=finding_words,
        multiverse=choice_words,
        planted=recovery_words,
        runs=told_words,
        epoch_counts=random_words("epoch_counts.csv"),
        samples=random_words("samples.parquet"),
        left_out=as_argument(STUDY["left_out"]),
        titles=as_written(STUDY["titles"]),
        controls=config["control_architectures"],
        code=code_of(
            "write_summary", job_code.of_summary(STUDY["findings"], STUDY["left_out"])
        ),
    shell:
        'exec python "$WORKFLOW/scripts/write_summary.py"'
        " --findings {params.findings} --paper {input.paper:q}"
        " --arithmetic {input.arithmetic:q}"
        " --coherence {input.coherence:q} --notes {input.notes:q} --classes {input.classes:q}"
        " --duplicates {input.duplicates:q} --runs {params.runs}"
        " --epoch-counts {params.epoch_counts} --samples {params.samples} --titles {params.titles:q} --left-out {params.left_out:q} --controls {params.controls:q} --output {output:q}"
        " {params.multiverse} {params.planted} > {log:q} 2>&1"


rule build_report:
    input:
        configuration=f"{RESULTS}/config.yaml",
        shown=study_files,
        runs=told_files,
    output:
        f"{RESULTS}/report.zip",
    log:
        f"logs/{config['study']}/build_report.log",
    benchmark:
        f"logs/{config['study']}/build_report.tsv"
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        # Snakemake's own report becomes a part of this one. Written elsewhere first: one that fails leaves no half.
        folder=f"{RESULTS}/report.unfinished",
        workflow=f"{RESULTS}/report.unfinished/report.zip",
        study=config["study"],
        results=subpath(output[0], parent=True),
        runs=told_words,
        templates=digest_of_templates(),
        code=code_of("build_report", job_code.of_report(FIGURES, STUDY["findings"])),
    shell:
        # a profile that the user exports is for the study's jobs, not for this one
        '(mkdir -p {params.folder:q} && env -u SNAKEMAKE_PROFILE snakemake --snakefile "$WORKFLOW/Snakefile"'
        " --configfile {input.configuration:q}"
        " --nolock --cores 1 --report {params.workflow:q} study"
        ' && python "$WORKFLOW/scripts/build_report.py" --study {params.study:q} --results {params.results:q}'
        " --files {input.shown:q} --runs {params.runs} --workflow {params.workflow:q} --output {output:q}"
        " && rm -r {params.folder:q}) > {log:q} 2>&1"
