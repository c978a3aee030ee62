"""Stage `report`: what the run found, as tables, pictures and one page."""
