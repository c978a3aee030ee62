"""The project around the pipelines: configuration, runs on disk, catalog datasets, tracking, hooks, commands."""
