"""Samples whose labels are probably wrong, ranked by what the runs made of them."""
