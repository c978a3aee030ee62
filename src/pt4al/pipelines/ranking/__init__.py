"""Stage `ranking`: sort the pool by pretext loss and split it into batches."""
