"""Stage `pretext`: train the pretext network and take its loss on every image."""
