"""Every finding under every analytic choice: how its number moves, and what survives.

Inputs:  traces.parquet and samples.parquet of all random runs
Outputs: {dataset}/findings/multiverse.csv, multiverse_shares.csv and multiverse_joint.csv; multiverse_matches.csv,
         multiverse_match_summary.csv and multiverse_shares_known.csv of the study, which hold them against the paper
"""

MULTIVERSE_READS = {name: RunFiles(f"{name}.parquet") for name in ("traces", "samples")}

if MULTIVERSE:

    rule measure_multiverse:
        input:
            read_files(MULTIVERSE_READS),
        output:
            table=f"{RESULTS}/{{dataset}}/findings/multiverse.csv",
            shares=f"{RESULTS}/{{dataset}}/findings/multiverse_shares.csv",
            joint=f"{RESULTS}/{{dataset}}/findings/multiverse_joint.csv",
        log:
            f"logs/{config['study']}/measure_multiverse/{{dataset}}.log",
        benchmark:
            f"logs/{config['study']}/measure_multiverse/{{dataset}}.tsv"
        conda:
            "../envs/analysis.yaml"
        threads: 1
        resources:
            mem_mb=memory(4000),
            # scipy's optimiser takes about a millisecond for each distinct trace; joint tests have multiverse.joint_minutes
            runtime=time_limit(250),
        params:
            files=read_words(MULTIVERSE_READS),
            statistics=as_argument(STATISTICS),
            multiverse=as_argument(STUDY["multiverse"]),
            combinations=multiverse_digest(STUDY["multiverse"], STUDY["statistics"]),
            code=code_of(
                "measure_multiverse",
                job_code.of_multiverse(MULTIVERSE, load_choices()),
            ),
        shell:
            'exec python "$WORKFLOW/scripts/measure_multiverse.py" {params.files}'
            " --statistics {params.statistics:q} --multiverse {params.multiverse:q}"
            " --output {output.table:q} --shares {output.shares:q} --joint {output.joint:q} > {log:q} 2>&1"

    rule match_reported:
        input:
            expand(
                f"{RESULTS}/{{dataset}}/findings/multiverse.csv",
                dataset=config["datasets"],
            ),
        output:
            matches=f"{RESULTS}/multiverse_matches.csv",
            summary=f"{RESULTS}/multiverse_match_summary.csv",
            shares=f"{RESULTS}/multiverse_shares_known.csv",
        log:
            f"logs/{config['study']}/match_reported.log",
        benchmark:
            f"logs/{config['study']}/match_reported.tsv"
        localrule: True
        conda:
            "../envs/analysis.yaml"
        threads: 1
        resources:
            mem_mb=memory(1000),
            runtime=10,
        params:
            seeds=len(config["seeds"]),
            comparable=as_written(comparable_datasets(config)),
            assumed_seeds=STUDY["paper"]["seeds"],
            averaged_over=complete_options(STUDY["multiverse"])["averaged_over"],
            reported=as_written(STUDY["paper"]["all"]),
            code=code_of("match_reported"),
        shell:
            'exec python "$WORKFLOW/scripts/match_reported.py" --multiverse {input:q}'
            " --seeds {params.seeds} --averaged-over {params.averaged_over} --reported {params.reported:q}"
            " --comparable {params.comparable:q} --assumed-seeds {params.assumed_seeds}"
            " --output {output.matches:q} --summary {output.summary:q} --shares {output.shares:q} > {log:q} 2>&1"
