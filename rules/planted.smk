"""The control arm: copies of data sets with labels planted wrong, trained beside the study, and what a ranking finds of them.

Inputs:  {dataset}/index.parquet, confusions.csv of the runs on the data set as it is
Outputs: {copy}/index.parquet, split.yaml, planted.csv, classes.csv, duplicates.csv and notes.txt, of which the other rules make
         runs and suspects.csv as of any data set; {dataset}/planted_recovery.csv, and planted_recovery.txt, what it says
"""

if COPIES:

    # Both rules make index.parquet; of a copy this one does.
    ruleorder: plant_labels > split_dataset

    rule plant_labels:
        input:
            unpack(planting_inputs),
        output:
            index=f"{RESULTS}/{{dataset}}/index.parquet",
            classes=f"{RESULTS}/{{dataset}}/classes.csv",
            duplicates=f"{RESULTS}/{{dataset}}/duplicates.csv",
            digest=f"{RESULTS}/{{dataset}}/split.yaml",
            planted=f"{RESULTS}/{{dataset}}/planted.csv",
            notes=f"{RESULTS}/{{dataset}}/notes.txt",
        log:
            f"logs/{config['study']}/plant_labels/{{dataset}}.log",
        benchmark:
            f"logs/{config['study']}/plant_labels/{{dataset}}.tsv"
        wildcard_constraints:
            dataset="|".join(map(re.escape, COPIES)),
        localrule: True
        conda:
            "../envs/analysis.yaml"
        threads: 1
        resources:
            mem_mb=2000,
            runtime=10,
        params:
            planting=planting_words,
            code=code_of("plant_labels"),
        shell:
            'exec python "$WORKFLOW/scripts/plant_labels.py" {params.planting}'
            " --name {wildcards.dataset:q} --index {input.index:q} --output {output.index:q}"
            " --planted {output.planted:q} --digest {output.digest:q} --classes {output.classes:q}"
            " --duplicates {output.duplicates:q} --notes {output.notes:q} > {log:q} 2>&1"

    rule measure_planted:
        input:
            unpack(planted_inputs),
        output:
            table=f"{RESULTS}/{{dataset}}/planted_recovery.csv",
            text=f"{RESULTS}/{{dataset}}/planted_recovery.txt",
        log:
            f"logs/{config['study']}/measure_planted/{{dataset}}.log",
        benchmark:
            f"logs/{config['study']}/measure_planted/{{dataset}}.tsv"
        localrule: True
        conda:
            "../envs/analysis.yaml"
        threads: 1
        resources:
            mem_mb=2000,
            runtime=10,
        params:
            code=code_of("measure_planted"),
        shell:
            'exec python "$WORKFLOW/scripts/measure_planted.py" --dataset {wildcards.dataset:q}'
            " --planted {input.planted:q} --suspects {input.suspects:q} --output {output.table:q}"
            " > {output.text:q} 2> {log:q}"
