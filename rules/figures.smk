"""One figure per finding, drawn from its table alone.

Inputs:  {dataset}/findings/{finding}.csv
Outputs: {dataset}/figures/{finding}.pdf, .svg and .png
"""


rule draw_architecture_overlap:
    input:
        f"{RESULTS}/{{dataset}}/findings/architecture_overlap.csv",
    output:
        f"{RESULTS}/{{dataset}}/figures/architecture_overlap.pdf",
        f"{RESULTS}/{{dataset}}/figures/architecture_overlap.svg",
        report(
            f"{RESULTS}/{{dataset}}/figures/architecture_overlap.png",
            caption="../resources/captions/architecture_overlap.rst",
            category="Figures",
            subcategory="{dataset}",
            labels={"figure": "architecture_overlap"},
        ),
    log:
        f"logs/{config['study']}/draw_architecture_overlap/{{dataset}}.log",
    benchmark:
        f"logs/{config['study']}/draw_architecture_overlap/{{dataset}}.tsv"
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        script=script("draw_architecture_overlap"),
        code=code_of("draw_architecture_overlap"),
    shell:
        "{params.script} --finding {input:q} --output {output:q} > {log:q} 2>&1"


rule draw_fit_quality:
    input:
        f"{RESULTS}/{{dataset}}/findings/fit_quality.csv",
    output:
        f"{RESULTS}/{{dataset}}/figures/fit_quality.pdf",
        f"{RESULTS}/{{dataset}}/figures/fit_quality.svg",
        report(
            f"{RESULTS}/{{dataset}}/figures/fit_quality.png",
            caption="../resources/captions/fit_quality.rst",
            category="Figures",
            subcategory="{dataset}",
            labels={"figure": "fit_quality"},
        ),
    log:
        f"logs/{config['study']}/draw_fit_quality/{{dataset}}.log",
    benchmark:
        f"logs/{config['study']}/draw_fit_quality/{{dataset}}.tsv"
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        script=script("draw_fit_quality"),
        code=code_of("draw_fit_quality"),
    shell:
        "{params.script} --finding {input:q} --output {output:q} > {log:q} 2>&1"


rule draw_seed_stability:
    input:
        f"{RESULTS}/{{dataset}}/findings/seed_stability.csv",
    output:
        f"{RESULTS}/{{dataset}}/figures/seed_stability.pdf",
        f"{RESULTS}/{{dataset}}/figures/seed_stability.svg",
        report(
            f"{RESULTS}/{{dataset}}/figures/seed_stability.png",
            caption="../resources/captions/seed_stability.rst",
            category="Figures",
            subcategory="{dataset}",
            labels={"figure": "seed_stability"},
        ),
    log:
        f"logs/{config['study']}/draw_seed_stability/{{dataset}}.log",
    benchmark:
        f"logs/{config['study']}/draw_seed_stability/{{dataset}}.tsv"
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        script=script("draw_seed_stability"),
        code=code_of("draw_seed_stability"),
    shell:
        "{params.script} --finding {input:q} --output {output:q} > {log:q} 2>&1"


rule draw_class_forgetting:
    input:
        f"{RESULTS}/{{dataset}}/findings/class_forgetting.csv",
    output:
        f"{RESULTS}/{{dataset}}/figures/class_forgetting.pdf",
        f"{RESULTS}/{{dataset}}/figures/class_forgetting.svg",
        report(
            f"{RESULTS}/{{dataset}}/figures/class_forgetting.png",
            caption="../resources/captions/class_forgetting.rst",
            category="Figures",
            subcategory="{dataset}",
            labels={"figure": "class_forgetting"},
        ),
    log:
        f"logs/{config['study']}/draw_class_forgetting/{{dataset}}.log",
    benchmark:
        f"logs/{config['study']}/draw_class_forgetting/{{dataset}}.tsv"
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        script=script("draw_class_forgetting"),
        code=code_of("draw_class_forgetting"),
    shell:
        "{params.script} --finding {input:q} --output {output:q} > {log:q} 2>&1"


rule draw_early_loss:
    input:
        f"{RESULTS}/{{dataset}}/findings/early_loss.csv",
    output:
        f"{RESULTS}/{{dataset}}/figures/early_loss.pdf",
        f"{RESULTS}/{{dataset}}/figures/early_loss.svg",
        report(
            f"{RESULTS}/{{dataset}}/figures/early_loss.png",
            caption="../resources/captions/early_loss.rst",
            category="Figures",
            subcategory="{dataset}",
            labels={"figure": "early_loss"},
        ),
    log:
        f"logs/{config['study']}/draw_early_loss/{{dataset}}.log",
    benchmark:
        f"logs/{config['study']}/draw_early_loss/{{dataset}}.tsv"
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        script=script("draw_early_loss"),
        code=code_of("draw_early_loss"),
    shell:
        "{params.script} --finding {input:q} --output {output:q} > {log:q} 2>&1"
