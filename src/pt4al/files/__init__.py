"""Files of a run: written whole or not at all, with digests, in versions."""
