"""One figure per finding, drawn from its table alone by scripts/draw_<finding>.py.

Inputs:  {dataset}/findings/{finding}.csv
Outputs: {dataset}/figures/{finding}.pdf, .svg and .png
"""

for figure in FIGURES:

    rule:
        name:
            f"draw_{figure}"
        input:
            f"{RESULTS}/{{dataset}}/findings/{figure}.csv",
        output:
            f"{RESULTS}/{{dataset}}/figures/{figure}.pdf",
            f"{RESULTS}/{{dataset}}/figures/{figure}.svg",
            report(
                f"{RESULTS}/{{dataset}}/figures/{figure}.png",
                caption=f"../resources/captions/{figure}.rst",
                category="Figures",
                subcategory="{dataset}",
                labels={"figure": figure},
            ),
        log:
            f"logs/{config['study']}/draw_{figure}/{{dataset}}.log",
        benchmark:
            f"logs/{config['study']}/draw_{figure}/{{dataset}}.tsv"
        localrule: True
        conda:
            "../envs/analysis.yaml"
        threads: 1
        resources:
            mem_mb=1000,
            runtime=10,
        params:
            figure=figure,
            code=code_of(f"draw_{figure}"),
        shell:
            'exec python "$WORKFLOW/scripts/draw_{params.figure}.py" --finding {input:q}'
            " --output {output:q} > {log:q} 2>&1"
