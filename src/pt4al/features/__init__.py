"""Features that others' networks, or the pretext network, find in pictures: computed once, then read."""
