"""The study in words, and everything in one file to pass on.

Inputs:  findings, paper_comparison.csv, coherence.csv, run.yaml of every run, notes.txt of the data sets
Outputs: config.yaml, summary.md and report.zip of the study
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
        configuration=as_argument(shortest(config)),
        code=code_of("record_configuration"),
    shell:
        'exec python "$WORKFLOW/scripts/record_configuration.py"'
        " --configuration {params.configuration:q} --output {output:q}"
        " > {log:q} 2>&1"


rule write_summary:
    input:
        findings=finding_files,
        paper=f"{RESULTS}/paper_comparison.csv",
        coherence=f"{RESULTS}/coherence.csv",
        classes=expand(f"{RESULTS}/{{dataset}}/classes.csv", dataset=config["datasets"]),
        duplicates=expand(
            f"{RESULTS}/{{dataset}}/duplicates.csv", dataset=config["datasets"]
        ),
        notes=note_files,
        runs=all_runs("run.yaml", ALL_ARCHITECTURES),
    output:
        report(f"{RESULTS}/summary.md", caption="../resources/captions/summary.rst"),
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
        runs=run_words("run.yaml", ALL_ARCHITECTURES, config["datasets"]),
        left_out=as_argument(STUDY["left_out"]),
        code=code_of(
            "write_summary", job_code.of_summary(STUDY["findings"], STUDY["left_out"])
        ),
    shell:
        'exec python "$WORKFLOW/scripts/write_summary.py"'
        " --findings {params.findings} --paper {input.paper:q}"
        " --coherence {input.coherence:q} --notes {input.notes:q} --classes {input.classes:q}"
        " --duplicates {input.duplicates:q} --runs {params.runs}"
        " --left-out {params.left_out:q} --output {output:q}"
        " > {log:q} 2>&1"


rule write_report:
    input:
        configuration=f"{RESULTS}/config.yaml",
        shown=study_files,
    output:
        f"{RESULTS}/report.zip",
    log:
        f"logs/{config['study']}/write_report.log",
    benchmark:
        f"logs/{config['study']}/write_report.tsv"
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        # the zip is written under another name: a report that fails leaves no half of one
        unfinished=f"{RESULTS}/report.unfinished.zip",
    shell:
        # a profile that the user exports is for the study's jobs, not for this one
        '(env -u SNAKEMAKE_PROFILE snakemake --snakefile "$WORKFLOW/Snakefile"'
        " --configfile {input.configuration:q}"
        " --nolock --cores 1 --report {params.unfinished:q} study"
        " && mv {params.unfinished:q} {output:q}) > {log:q} 2>&1"
