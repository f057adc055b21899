"""Named targets: nouns without wildcards, each a part of the study to ask for by name.

all       the study to its report              figures   every figure
runs      every fine-tuning run, described     <finding> one finding's tables and figures
plan      what the study will cost             clean_state   what unfinished runs left
audit     results whose code has changed         data          images, split and cached
tables    every table, for a paper
paper_arithmetic   which reported numbers can hold together
multiverse  every finding under every analytic choice    multiverse_<finding>   one figure of it
gallery   the forgotten images themselves       explorer        every sample to plot, filter, search and download
planted   what the ranking of suspects finds of labels that were planted wrong    planted_labels   these alone
report    all of it in one zip, with a page to begin with
suspects  samples whose labels are probably wrong, ranked   conventions   what others count of the same traces
"""


rule study:
    input:
        study_files,


rule data:
    input:
        data_files,


rule figures:
    input:
        figure_files(),


rule gallery:
    input:
        page_files("gallery"),
    localrule: True


rule explorer:
    input:
        page_files("explorer.html"),
    localrule: True


rule conventions:
    input:
        expand(run_files("conventions.parquet"), dataset=config["datasets"]),
    localrule: True


rule suspects:
    input:
        page_files("suspects.csv", "suspects_held_out.csv", "suspects_classes.csv"),
        text=page_files("suspects.txt"),
    log:
        f"logs/{config['study']}/suspects.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    shell:
        "cat {input.text:q} 2> {log:q}"


rule planted:
    input:
        recovery_files,
        text=recovery_texts,
    log:
        f"logs/{config['study']}/planted.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    shell:
        "cat {input.text:q} 2> {log:q}"


rule planted_labels:
    input:
        expand(f"{RESULTS}/{{dataset}}/planted.csv", dataset=COPIES),
    localrule: True


rule report:
    input:
        f"{RESULTS}/report.zip",
    localrule: True


rule tables:
    input:
        table_files(),
    localrule: True


rule runs:
    input:
        every_run("run.yaml"),
        every_run("samples.parquet"),


rule paper_arithmetic:
    input:
        f"{RESULTS}/paper_arithmetic.csv",
    localrule: True


for finding in STUDY["findings"]:

    rule:
        name:
            finding
        input:
            expand(
                f"{RESULTS}/{{dataset}}/findings/{finding}.csv",
                dataset=config["datasets"],
            ),
            figure_files(figures_with(finding)),
        localrule: True


rule multiverse:
    input:
        multiverse_files,
        figure_files(list(multiverse_figures(MULTIVERSE))),
    localrule: True


for figure in multiverse_figures(MULTIVERSE):

    rule:
        name:
            figure
        input:
            figure_files([figure]),
        localrule: True


rule plan:
    input:
        f"{RESULTS}/plan.txt",
    log:
        f"logs/{config['study']}/plan.log",
    localrule: True
    conda:
        "../envs/training.yaml"
    shell:
        "cat {input:q} 2> {log:q}"


rule audit:
    log:
        f"logs/{config['study']}/audit.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        results=RESULTS,
        code=as_argument(
            {
                name: code_of(
                    "finetune", job_code.of_treatments(treatment_definitions([name]))
                )
                for name in config["treatments"]
            }
        ),
    shell:
        'exec python "$WORKFLOW/scripts/audit_code_versions.py"'
        " --results {params.results:q} --current {params.code:q} 2> {log:q}"


rule clean_state:
    log:
        f"logs/{config['study']}/clean_state.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        state=f"{RESULTS}/state",
    shell:
        'exec python "$WORKFLOW/scripts/clean_state.py"'
        " --state {params.state:q} 2> {log:q}"
