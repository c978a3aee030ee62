"""Main tasks: what the labels are for."""

from pt4al.training.tasks import classification

TASKS = {"classification": classification}
