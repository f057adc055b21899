"""The columns of samples.parquet, by what they tell."""

FIT_COLUMNS = ("decay_constant", "a", "c", "score", "sse", "r_squared", "status", "half_life")


KEYS = {"split", "sample_index", "sample_id", "label", "class_name", "group"}
OWN = {
    *("forgetting_events", "learning_events", "first_learned", "learned_for_good"),
    *("last_forgotten", "never_learned", "unforgettable", "mean_retention", "confidence"),
    *("variability", "aum", "error_norm", "loss_0", "epochs_at_risk"),
    *("hazard", "hazard_odd", "hazard_even"),
    *("decay_constant", "half_life", "r_squared", "fit_status", "r_squared_null"),
    *("decay_constant_from_1", "decay_constant_odd", "decay_constant_even"),
}
UNCERTAINTY = ("aicc", "standard_error")
