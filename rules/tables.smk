"""The tables that a paper prints, each as CSV, Markdown and LaTeX.

Inputs:  findings, paper_comparison.csv, classes.csv and duplicates.csv of the data sets, run.yaml of the runs that findings
         read
Outputs: tables/{table}.csv, tables/{table}.md and tables/{table}.tex of the study
"""


rule write_tables:
    input:
        findings=finding_files,
        paper=f"{RESULTS}/paper_comparison.csv",
        classes=expand(f"{RESULTS}/{{dataset}}/classes.csv", dataset=config["datasets"]),
        duplicates=expand(
            f"{RESULTS}/{{dataset}}/duplicates.csv", dataset=config["datasets"]
        ),
        runs=told_files,
    output:
        table_files(),
    log:
        f"logs/{config['study']}/write_tables.log",
    benchmark:
        f"logs/{config['study']}/write_tables.tsv"
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        findings=finding_words,
        runs=told_words,
        titles=as_written(STUDY["titles"]),
        controls=config["control_architectures"],
        folder=subpath(output[0], parent=True),
        code=code_of("write_tables", job_code.of_tables(STUDY["findings"])),
    shell:
        'exec python "$WORKFLOW/scripts/write_tables.py"'
        " --findings {params.findings} --paper {input.paper:q} --classes {input.classes:q}"
        " --duplicates {input.duplicates:q} --runs {params.runs} --titles {params.titles:q}"
        " --controls {params.controls:q} --output {params.folder:q} > {log:q} 2>&1"
