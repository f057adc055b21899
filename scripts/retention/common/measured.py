"""How traces were measured, as their metadata and run.yaml say it where they are no evaluations between epochs."""

MEASURED = "measured"
WHILE_TRAINING = (
    "while training"  # of weights that change within the epoch, as a training's own log has it
)
