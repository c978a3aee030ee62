"""Log a cycle's network as a model that answers to pictures anywhere, without this project."""

import json
import warnings
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import pt4al
from pt4al.files.scratch import scratch
from pt4al.images.pool import ImagePool
from pt4al.images.viewing import viewable
from pt4al.pipelines.predict.models import frame_of
from pt4al.training import networks

SERVING = (  # what a logged model needs
    "torch",
    "torchvision",
    "timm",
    "segmentation-models-pytorch",
    "mlflow",
    "safetensors",
    "numpy",
    "pandas",
    "pillow",
    "pydantic",
    "scikit-learn",
    "scipy",
    "tqdm",
)
EXAMPLES = 4  # pictures in a logged model's input example


def log_model(run: str, name: str, pool: ImagePool, artifacts: dict[str, Path]) -> None:
    """Log a network to a row of MLflow's current store, with all that its predictions need.

    Parameters
    ----------
    run
        Id of the row.
    pool
        What it learnt from: new pictures are decoded as its were.
    artifacts
        Files of its `network`, its `classes` and, of a probe, the `backbone` before it.
    """
    import mlflow

    package = Path(pt4al.__file__).parent
    network = networks.load(artifacts.get("backbone", artifacts["network"]))
    looks = {"frame": asdict(frame_of(network, pool)), "shape": list(pool.shape)}
    with (
        scratch() as folder,
        mlflow.start_run(run_id=run),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")  # hints for other kinds of model
        file = folder / "looks.json"
        file.write_text(json.dumps(looks), encoding="utf-8")
        mlflow.pyfunc.log_model(
            name=name,
            python_model=str(package / "project" / "tracking" / "serving.py"),
            artifacts={key: str(path) for key, path in {**artifacts, "looks": file}.items()},
            code_paths=[str(package)],
            input_example=_example(pool),
            signature=_signature(network.dense),
            pip_requirements=[f"{name}=={installed(name)}" for name in SERVING if installed(name)],
        )


def installed(name: str) -> str | None:
    """Return a package's version."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _example(pool: ImagePool) -> pd.DataFrame:
    """Return some pictures as PNG files, as `predict` takes them."""
    images = pool.gather(np.arange(min(EXAMPLES, len(pool)))).numpy()
    pictures = [image[0] if len(image) == 1 else image.transpose(1, 2, 0) for image in images]
    return pd.DataFrame({"image": [viewable(picture, exact=True) for picture in pictures]})


def _signature(dense: bool) -> Any:
    """Return what a model answers with; what it takes, in several forms, it checks itself."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema, TensorSpec

    if dense:
        return ModelSignature(outputs=Schema([TensorSpec(np.dtype(np.uint8), (-1, -1, -1))]))
    columns = [ColSpec("string", "label"), ColSpec("float", "probability")]
    return ModelSignature(outputs=Schema(columns))
