"""Labels: the label set, and the oracle of recorded labels."""
