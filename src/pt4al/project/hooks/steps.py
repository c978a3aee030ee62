"""Where the steps of a command are told to who listens: see `runs/training_child.py`."""

import logging

STEPS = "pt4al-steps"  # a logger that no file of settings is about

steps = logging.getLogger(STEPS)
steps.setLevel(logging.INFO)
steps.propagate = False  # no terminal shows them
steps.addHandler(logging.NullHandler())
