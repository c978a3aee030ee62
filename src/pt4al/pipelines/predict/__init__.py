"""Pipeline `predict`: what a finished run's model takes new pictures for."""
