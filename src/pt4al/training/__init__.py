"""Training: networks, the one training loop, and what it is asked to minimise."""
