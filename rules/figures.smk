"""The figures, drawn from the tables that each declares: of its finding, or of the data set.

Inputs:  {dataset}/findings/{finding}.csv, and what figures that belong to no finding read
Outputs: {dataset}/figures/{figure}.pdf, .svg and .png
"""

for figure in FIGURES.values():

    rule:
        name:
            f"draw_{figure.name}"
        input:
            read_files(figure.reads),
        output:
            f"{RESULTS}/{{dataset}}/figures/{figure.name}.pdf",
            f"{RESULTS}/{{dataset}}/figures/{figure.name}.svg",
            report(
                f"{RESULTS}/{{dataset}}/figures/{figure.name}.png",
                caption="../resources/captions/figure.rst",
                category=category_of(figure.name),
                subcategory="{dataset}",
                labels={"figure": figure.title},
            ),
        log:
            f"logs/{config['study']}/draw_{figure.name}/{{dataset}}.log",
        benchmark:
            f"logs/{config['study']}/draw_{figure.name}/{{dataset}}.tsv"
        localrule: True
        conda:
            "../envs/analysis.yaml"
        threads: 1
        resources:
            mem_mb=1000,
            runtime=10,
        params:
            figure=figure.name,
            caption=figure.caption,
            files=read_words(figure.reads),
            look=look_words,
            code=code_of("draw_figure", job_code.of_figure(figure.name)),
        shell:
            'exec python "$WORKFLOW/scripts/draw_figure.py" {params.figure} {params.files}'
            " {params.look} --output {output:q} > {log:q} 2>&1"
