"""The findings F1 to F8 as tables, then the audits that hold them against each other and the paper.

Inputs:  samples.parquet of the runs (and confusions, centroids, probabilities where a finding
         needs them); of F7 and F8 run.yaml, epochs.csv and traces.parquet too, of all treatments
Outputs: {dataset}/findings/{finding}.csv, coherence.csv, paper_comparison.csv
"""

TREATMENTS = as_argument(STUDY["statistics"])
# Another margin makes no other overlap: what is of treatments alone is left out.
STATISTICS = as_argument(
    {name: value for name, value in STUDY["statistics"].items() if name != "treatment"}
)
FAMILIES = {
    name: config["statistics"]["family_map"]
    or STUDY["datasets"][name].get("families", "")
    for name in config["datasets"]
}


rule measure_architecture_overlap:
    input:
        samples=run_files("samples.parquet"),
    output:
        f"{RESULTS}/{{dataset}}/findings/architecture_overlap.csv",
    log:
        f"logs/{config['study']}/measure_architecture_overlap/{{dataset}}.log",
    benchmark:
        f"logs/{config['study']}/measure_architecture_overlap/{{dataset}}.tsv"
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=memory(3000),
        runtime=time_limit(30),
    params:
        samples=run_words("samples.parquet"),
        statistics=STATISTICS,
        code=code_of("measure_architecture_overlap"),
    shell:
        'exec python "$WORKFLOW/scripts/measure_architecture_overlap.py"'
        " --samples {params.samples}"
        " --statistics {params.statistics:q} --output {output:q} > {log:q} 2>&1"


rule measure_fit_quality:
    input:
        samples=run_files("samples.parquet"),
    output:
        f"{RESULTS}/{{dataset}}/findings/fit_quality.csv",
    log:
        f"logs/{config['study']}/measure_fit_quality/{{dataset}}.log",
    benchmark:
        f"logs/{config['study']}/measure_fit_quality/{{dataset}}.tsv"
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=memory(3000),
        runtime=time_limit(30),
    params:
        samples=run_words("samples.parquet"),
        statistics=STATISTICS,
        code=code_of("measure_fit_quality"),
    shell:
        'exec python "$WORKFLOW/scripts/measure_fit_quality.py"'
        " --samples {params.samples}"
        " --statistics {params.statistics:q} --output {output:q} > {log:q} 2>&1"


rule measure_seed_stability:
    input:
        samples=run_files("samples.parquet"),
    output:
        f"{RESULTS}/{{dataset}}/findings/seed_stability.csv",
    log:
        f"logs/{config['study']}/measure_seed_stability/{{dataset}}.log",
    benchmark:
        f"logs/{config['study']}/measure_seed_stability/{{dataset}}.tsv"
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=memory(3000),
        runtime=time_limit(30),
    params:
        samples=run_words("samples.parquet"),
        statistics=STATISTICS,
        code=code_of("measure_seed_stability"),
    shell:
        'exec python "$WORKFLOW/scripts/measure_seed_stability.py"'
        " --samples {params.samples}"
        " --statistics {params.statistics:q} --output {output:q} > {log:q} 2>&1"


rule measure_class_forgetting:
    input:
        samples=run_files("samples.parquet"),
        confusions=run_files("confusions.csv"),
        centroids=run_files("class_centroids.npy"),
    output:
        f"{RESULTS}/{{dataset}}/findings/class_forgetting.csv",
    log:
        f"logs/{config['study']}/measure_class_forgetting/{{dataset}}.log",
    benchmark:
        f"logs/{config['study']}/measure_class_forgetting/{{dataset}}.tsv"
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=memory(3000),
        runtime=time_limit(30),
    params:
        samples=run_words("samples.parquet"),
        confusions=run_words("confusions.csv"),
        centroids=run_words("class_centroids.npy"),
        statistics=STATISTICS,
        families=lambda wildcards: as_argument(FAMILIES[wildcards.dataset]),
        code=code_of("measure_class_forgetting"),
    shell:
        'exec python "$WORKFLOW/scripts/measure_class_forgetting.py"'
        " --samples {params.samples}"
        " --confusions {params.confusions} --centroids {params.centroids}"
        " --families {params.families:q} --statistics {params.statistics:q} --output {output:q} > {log:q} 2>&1"


rule measure_early_loss:
    input:
        samples=run_files("samples.parquet"),
    output:
        f"{RESULTS}/{{dataset}}/findings/early_loss.csv",
    log:
        f"logs/{config['study']}/measure_early_loss/{{dataset}}.log",
    benchmark:
        f"logs/{config['study']}/measure_early_loss/{{dataset}}.tsv"
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=memory(3000),
        runtime=time_limit(30),
    params:
        samples=run_words("samples.parquet"),
        statistics=STATISTICS,
        code=code_of("measure_early_loss"),
    shell:
        'exec python "$WORKFLOW/scripts/measure_early_loss.py"'
        " --samples {params.samples}"
        " --statistics {params.statistics:q} --output {output:q} > {log:q} 2>&1"


rule measure_ensemble_coverage:
    input:
        samples=run_files("samples.parquet"),
        probabilities=run_files("probabilities.npy"),
    output:
        f"{RESULTS}/{{dataset}}/findings/ensemble_coverage.csv",
    log:
        f"logs/{config['study']}/measure_ensemble_coverage/{{dataset}}.log",
    benchmark:
        f"logs/{config['study']}/measure_ensemble_coverage/{{dataset}}.tsv"
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=time_limit(30),
    params:
        samples=run_words("samples.parquet"),
        probabilities=run_words("probabilities.npy"),
        statistics=STATISTICS,
        code=code_of("measure_ensemble_coverage"),
    shell:
        'exec python "$WORKFLOW/scripts/measure_ensemble_coverage.py"'
        " --samples {params.samples} --probabilities {params.probabilities}"
        " --statistics {params.statistics:q} --output {output:q} > {log:q} 2>&1"


rule measure_treatment_comparison:
    input:
        treated_files(compared_treatments(config)),
    output:
        f"{RESULTS}/{{dataset}}/findings/treatment_comparison.csv",
    log:
        f"logs/{config['study']}/measure_treatment_comparison/{{dataset}}.log",
    benchmark:
        f"logs/{config['study']}/measure_treatment_comparison/{{dataset}}.tsv"
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=memory(3000),
        runtime=time_limit(30),
    params:
        runs=treated_words(compared_treatments(config)),
        statistics=TREATMENTS,
        code=code_of("measure_treatment_comparison"),
    shell:
        'exec python "$WORKFLOW/scripts/measure_treatment_comparison.py"'
        " --runs {params.runs}"
        " --statistics {params.statistics:q} --output {output:q} > {log:q} 2>&1"


rule measure_pruning_transfer:
    input:
        treated_files(pruned_treatments(config)),
    output:
        f"{RESULTS}/{{dataset}}/findings/pruning_transfer.csv",
    log:
        f"logs/{config['study']}/measure_pruning_transfer/{{dataset}}.log",
    benchmark:
        f"logs/{config['study']}/measure_pruning_transfer/{{dataset}}.tsv"
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=memory(3000),
        runtime=time_limit(30),
    params:
        runs=treated_words(pruned_treatments(config)),
        statistics=TREATMENTS,
        code=code_of("measure_pruning_transfer"),
    shell:
        'exec python "$WORKFLOW/scripts/measure_pruning_transfer.py"'
        " --runs {params.runs}"
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
        reported=as_argument(PAPER),
        top_fraction=lookup(dpath="statistics/top_fraction", within=config),
        code=code_of("audit_coherence"),
    shell:
        'exec python "$WORKFLOW/scripts/audit_coherence.py"'
        " --findings {params.findings} --reported {params.reported:q}"
        " --top-fraction {params.top_fraction} --output {output:q} > {log:q} 2>&1"


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
        comparable=as_argument(config["paper"]["comparable"]),
        assumed_seeds=lookup(dpath="paper/assumed_seeds", within=config),
        reported=as_argument(PAPER),
        code=code_of("compare_with_paper"),
    shell:
        'exec python "$WORKFLOW/scripts/compare_with_paper.py"'
        " --findings {params.findings} --reported {params.reported:q}"
        " --comparable {params.comparable:q} --assumed-seeds {params.assumed_seeds}"
        " --output {output:q} > {log:q} 2>&1"
