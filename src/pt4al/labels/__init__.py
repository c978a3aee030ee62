"""Labels: the label set, recorded labels, and the audit of what was read."""
