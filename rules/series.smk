"""The numbers that figures of no finding are drawn from: over epochs, fractions and samples.

Inputs:  what each series declares that it reads (scripts/retention/series/<series>/__init__.py)
Outputs: {dataset}/series/{series}.csv
"""

for series in series_of(FIGURES.values()):

    rule:
        name:
            f"measure_{series}"
        input:
            read_files(declared_series(series).reads),
        output:
            f"{RESULTS}/{{dataset}}/series/{series}.csv",
        log:
            f"logs/{config['study']}/measure_{series}/{{dataset}}.log",
        benchmark:
            f"logs/{config['study']}/measure_{series}/{{dataset}}.tsv"
        conda:
            "../envs/analysis.yaml"
        threads: 1
        resources:
            mem_mb=memory(4000),
            runtime=time_limit(30),
        params:
            series=series,
            files=read_words(declared_series(series).reads),
            settings=setting_words(declared_series(series)),
            statistics=series_statistics(series),
            code=code_of(
                "measure_series",
                job_code.of_series(series, config["dynamics"]["fits"]),
            ),
        shell:
            'exec python "$WORKFLOW/scripts/measure_series.py" {params.series}'
            " {params.files} {params.settings} {params.statistics} --output {output:q} > {log:q} 2>&1"
