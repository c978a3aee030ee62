"""Stage `pool`: pictures on disk to pools of decoded images, labels apart."""
