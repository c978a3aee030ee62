"""Images: from files on disk to minibatches of uint8 tensors."""
