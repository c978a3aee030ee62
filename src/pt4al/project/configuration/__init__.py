"""Settings, and the names that follow from them."""
