"""Stage `features`: what a network that others have trained sees in each picture, computed once."""
