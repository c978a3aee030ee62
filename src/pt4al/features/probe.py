"""Linear probe: a head fitted in seconds, on the features of a frozen trunk."""

import warnings

import numpy as np
import pandas as pd
import torch

from pt4al.images.pool import ImagePool
from pt4al.training.engine import predict
from pt4al.training.networks import Network
from pt4al.training.precision import Hardware

# Inverse strength of the L2 penalty on standardised features. Fixed: a few labels can't choose it.
# Of 0.001 to 10 none was better by more than half a point, from 10 to 1,000 labels of
# Fashion-MNIST.
C = 0.3
MOST_ITERATIONS = 1000
THIRDS = 3
TEMPERATURES = np.geomspace(1, 20, 40)
NARROW = 64
UNSEEN = 10.0  # distance of the logit of a class without labels below the mean of the others


def probe(
    network: Network,
    pool: ImagePool,
    rows: np.ndarray,
    targets: torch.Tensor,
    hardware: Hardware,
    weights: torch.Tensor | None = None,
) -> pd.DataFrame:
    """Fit the head of a network that is not dense, in place, without augmentation.

    Parameters
    ----------
    rows
        Rows of the pool to train on.
    targets
        The class of each of `rows`.
    weights
        Weight of each class, (classes,); equal by default.

    Returns
    -------
    A training curve of one row, as `engine.fit` returns it: `epoch`, `steps` (iterations), mean
    `loss`, and a `learning_rate` of 0, since there is none.
    """
    features = predict(network, Network.features, pool, hardware, rows, title="features")
    of_images = None if weights is None else weights[targets].numpy()
    weight, bias, steps = fit_calibrated(features, targets.numpy(), network.outputs, of_images)
    with torch.no_grad():
        network.head.weight.copy_(torch.from_numpy(weight))
        network.head.bias.copy_(torch.from_numpy(bias))
    logits = torch.from_numpy(features @ weight.T + bias)
    losses = torch.nn.functional.cross_entropy(logits, targets, weights, reduction="none")
    return pd.DataFrame(
        {"epoch": [1], "steps": [steps], "loss": [float(losses.mean())], "learning_rate": [0.0]}
    )


def fit_calibrated(
    features: np.ndarray, targets: np.ndarray, classes: int, weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, int]:
    """Return what `fit` returns, divided by a temperature: the same answers, calibrated.

    A probe of wide features separates few labels without error, and may be far too sure of all
    other images. The temperature, at least 1, maximises the likelihood of labels under probes that
    have not seen them: each third under a probe of the other two (Guo et al., ICML 2017). It is 1
    if no class has labels in different thirds.
    """
    weight, bias, steps = fit(features, targets, classes, weights)
    temperature = np.float32(_temperature(features, targets, classes, weights))
    return weight / temperature, bias / temperature, steps


def is_right(
    features: np.ndarray, targets: np.ndarray, classes: int, learnt: np.ndarray, asked: np.ndarray
) -> np.ndarray:
    """Return whether a probe that has learnt from some rows is right about others, (asked,), bool."""
    weight, bias, _ = fit(features[learnt], targets[learnt], classes)
    return (features[asked] @ weight.T + bias).argmax(axis=1) == targets[asked]


def narrowed(features: np.ndarray, width: int = NARROW) -> np.ndarray:
    """Return features by their first principal components, (N, at most `width`), float32.

    A probe of many labels takes seconds with wide features, and a fraction of one with these.
    """
    if features.shape[1] <= width:
        return features
    centred = features.astype(np.float64) - features.mean(axis=0, dtype=np.float64)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    return (centred @ directions[:width].T).astype(np.float32)


def _temperature(
    features: np.ndarray, targets: np.ndarray, classes: int, weights: np.ndarray | None
) -> float:
    third = np.random.default_rng(0).permutation(len(targets)) % THIRDS
    logits = np.zeros((len(targets), classes), np.float32)
    answered = np.zeros(len(targets), bool)
    for turn in range(THIRDS):
        seen = third != turn
        unseen = ~seen
        if not seen.any() or not unseen.any():
            continue
        weight, bias, _ = fit(
            features[seen], targets[seen], classes, None if weights is None else weights[seen]
        )
        logits[unseen] = features[unseen] @ weight.T + bias
        answered[unseen] = np.isin(targets[unseen], targets[seen])
    if not answered.any():
        return 1.0
    answers = torch.from_numpy(logits[answered]).double()
    truths = torch.from_numpy(targets[answered])
    losses = [
        float(torch.nn.functional.cross_entropy(answers / value, truths)) for value in TEMPERATURES
    ]
    return float(TEMPERATURES[int(np.argmin(losses))])


def fit(
    features: np.ndarray, targets: np.ndarray, classes: int, weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, int]:
    """Fit multinomial logistic regression to standardised features.

    Parameters
    ----------
    features, targets
        (N, width), and the class of each, (N,).
    weights
        Weight of each image, (N,); equal by default.

    Returns
    -------
    Weight (classes, width) and bias (classes,), float32, of a linear layer that takes features as
    they are, and the number of iterations. A class without labels gets a logit 10 below the mean of
    the others, so that it is never the answer.

    Source: the linear evaluation protocol (Zhang, Isola, Efros, ECCV 2016), by scikit-learn.
    """
    from sklearn.linear_model import LogisticRegression

    # A few labels of many classes are what active learning begins with.
    warnings.filterwarnings("ignore", "The number of unique classes is greater", UserWarning)
    features = features.astype(np.float64)
    mean = features.mean(0)
    spread = features.std(0)
    spread[spread == 0] = 1
    seen = np.unique(targets)
    if len(seen) == 1:  # nothing to tell apart
        scaled = np.zeros((1, features.shape[1]))
        intercept = np.zeros(1)
        steps = 0
    else:
        model = LogisticRegression(C=C, max_iter=MOST_ITERATIONS).fit(
            (features - mean) / spread, targets, weights
        )
        scaled = model.coef_
        intercept = model.intercept_
        steps = int(model.n_iter_.max())
    if len(seen) == 2:  # scikit-learn gives the difference of the two logits
        scaled = np.concatenate([-scaled, scaled]) / 2
        intercept = np.concatenate([-intercept, intercept]) / 2
    own = scaled / spread
    weight = np.tile(own.mean(0), (classes, 1))
    bias = np.full(classes, -UNSEEN)
    weight[seen] = own
    bias[seen] = intercept
    bias -= weight @ mean
    return weight.astype(np.float32), bias.astype(np.float32), steps
