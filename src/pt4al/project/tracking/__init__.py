"""What MLflow sees."""
