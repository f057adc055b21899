"""The findings as tables, then the audits that hold them against each other and the paper.

Inputs:  what each finding declares that it reads (scripts/retention/findings/<finding>/__init__.py)
Outputs: {dataset}/findings/{finding}.csv, coherence.csv, paper_arithmetic.csv, paper_comparison.csv
"""

# Families are a setting of class_forgetting. Another margin makes no other overlap: what is of treatments
# alone is left out of the findings of random runs.
TREATMENTS = {
    name: value for name, value in STUDY["statistics"].items() if name != "family_map"
}
STATISTICS = {name: value for name, value in TREATMENTS.items() if name != "treatment"}

for finding in STUDY["findings"]:

    rule:
        name:
            f"measure_{finding}"
        input:
            read_files(declared(finding).reads),
        output:
            f"{RESULTS}/{{dataset}}/findings/{finding}.csv",
        log:
            f"logs/{config['study']}/measure_{finding}/{{dataset}}.log",
        benchmark:
            f"logs/{config['study']}/measure_{finding}/{{dataset}}.tsv"
        conda:
            "../envs/analysis.yaml"
        threads: 1
        resources:
            mem_mb=memory(4000),
            runtime=time_limit(30),
        params:
            finding=finding,
            files=read_words(declared(finding).reads),
            settings=setting_words(declared(finding)),
            statistics=as_argument(
                STATISTICS if declared(finding).treatments == RANDOM else TREATMENTS
            ),
            code=code_of(
                "measure_finding",
                job_code.of_finding(
                    finding,
                    treatment_definitions(
                        treatments_of(config, declared(finding).treatments)
                    ),
                ),
            ),
        shell:
            'exec python "$WORKFLOW/scripts/measure_finding.py" {params.finding}'
            " {params.files} {params.settings}"
            " --statistics {params.statistics:q} --output {output:q} > {log:q} 2>&1"


rule audit_coherence:
    input:
        findings=finding_files,
    output:
        f"{RESULTS}/coherence.csv",
    log:
        f"logs/{config['study']}/audit_coherence.log",
    benchmark:
        f"logs/{config['study']}/audit_coherence.tsv"
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        findings=finding_words,
        top_fraction=lookup(dpath="statistics/top_fraction", within=config),
        code=code_of("audit_coherence"),
    shell:
        'exec python "$WORKFLOW/scripts/audit_coherence.py"'
        " --findings {params.findings}"
        " --top-fraction {params.top_fraction} --output {output:q} > {log:q} 2>&1"


# Of the paper's numbers alone: nothing has to be trained for it.
rule check_reported:
    output:
        f"{RESULTS}/paper_arithmetic.csv",
    log:
        f"logs/{config['study']}/check_reported.log",
    benchmark:
        f"logs/{config['study']}/check_reported.tsv"
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        reported=as_written(STUDY["paper"]["all"]),
        seeds=STUDY["paper"]["seeds"],
        code=code_of("check_reported"),
    shell:
        'exec python "$WORKFLOW/scripts/check_reported.py"'
        " --reported {params.reported:q} --assumed-seeds {params.seeds}"
        " --output {output:q} > {log:q} 2>&1"


rule compare_with_paper:
    input:
        findings=finding_files,
    output:
        f"{RESULTS}/paper_comparison.csv",
    log:
        f"logs/{config['study']}/compare_with_paper.log",
    benchmark:
        f"logs/{config['study']}/compare_with_paper.tsv"
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        findings=finding_words,
        comparable=as_written(config["paper"]["comparable"]),
        seeds=STUDY["paper"]["seeds"],
        seeds_source=as_text(STUDY["paper"]["seeds_source"]),
        reported=as_written(STUDY["paper"]["reported"]),
        code=code_of("compare_with_paper"),
    shell:
        'exec python "$WORKFLOW/scripts/compare_with_paper.py"'
        " --findings {params.findings} --reported {params.reported:q}"
        " --comparable {params.comparable:q} --assumed-seeds {params.seeds}"
        " --seeds-source {params.seeds_source:q}"
        " --output {output:q} > {log:q} 2>&1"
