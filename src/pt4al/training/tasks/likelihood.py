"""From logits to probabilities."""

import torch


def softmax(logits: torch.Tensor, normalise: bool = False) -> torch.Tensor:
    """Probabilities of logits (B, classes, ...), float64.

    With `normalise`, each vector of logits is first divided by its Euclidean norm, as the code
    released by PT4AL's authors does; this flattens every distribution and changes the order.
    """
    logits = logits.double()
    if normalise:
        logits = logits / torch.linalg.vector_norm(logits, dim=1, keepdim=True)
    return logits.softmax(1)
