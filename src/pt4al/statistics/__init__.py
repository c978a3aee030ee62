"""Statistics: numbers that a run or a comparison leaves, and what they say."""
