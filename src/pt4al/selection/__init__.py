"""Selection: rank the pool, split it, and choose what to label next."""
