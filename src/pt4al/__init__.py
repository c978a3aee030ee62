"""PT4AL as a pipeline: a pretext task's loss decides which images are worth a label."""

__version__ = "0.1.0"
