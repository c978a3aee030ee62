"""Stage `report`: a run's results as tables, pictures and one page."""
