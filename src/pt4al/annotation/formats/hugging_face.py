"""A data set that `datasets.load_dataset("imagefolder", data_dir=...)` reads, with its data card."""

import json
from pathlib import Path

import pandas as pd

from pt4al.annotation.formats.file_names import file_stems
from pt4al.annotation.formats.labelled import WEIGHT, Files, Labelled
from pt4al.annotation.formats.new_folder import check_new, new_folder

SPLIT = "train"
METADATA = "metadata.parquet"  # a CSV would turn ids and labels that look like numbers into such
CARD = "README.md"
SIZES = {1_000: "n<1K", 10_000: "1K<n<10K", 100_000: "10K<n<100K", 1_000_000: "100K<n<1M"}
LARGE = "n>1M"


def write_data_set(path: Path, labelled: Labelled, files: Files) -> None:
    """Write pictures, a table of all that is known of their labels, and a data card.

    Pictures lie in one folder, since the names of folders may mean splits to the reader.

    Parameters
    ----------
    files
        Read one after another.

    Raises
    ------
    InputError
        If something is there.
    """
    check_new(path)
    stems = file_stems(labelled.labels["id"])
    names = {}
    with new_folder(path) as temporary:
        folder = temporary / SPLIT
        folder.mkdir()
        for image, suffix, content in files:
            names[image] = f"{stems[image]}{suffix}"
            (folder / names[image]).write_bytes(content)
        labels = labelled.labels
        table = pd.DataFrame({"file_name": labels["id"].map(names)})
        columns = ["label", *(name for name in labels.columns if name != "label")]
        table[columns] = labels[columns]
        table.to_parquet(folder / METADATA, index=False)
        (temporary / CARD).write_text(data_card(labelled), encoding="utf-8")


def data_card(labelled: Labelled) -> str:
    """Return the data card: a header in YAML, and what whoever uses the data must know."""
    counts = labelled.counts()
    images = len(labelled.labels)
    return "\n".join(
        [
            "---",
            f"pretty_name: {_quoted(f'Labels of run {labelled.run}')}",
            "task_categories:",
            "- image-classification",
            "size_categories:",
            f"- {_size(images)}",
            "configs:",
            "- config_name: default",
            "  data_files:",
            f"  - split: {SPLIT}",
            f"    path: {SPLIT}/**",
            "class_names:",
            *(f"- {_quoted(name)}" for name in counts),
            "---",
            f"# Labels of run {labelled.run}",
            "",
            f"{images} of {labelled.pool} images of a pool, chosen and labelled by active learning "
            f"(pt4al, run `{labelled.run}`).",
            "",
            f"**{labelled.warning}**",
            "",
            *_weights(labelled),
            "",
            "## Classes",
            "",
            "| class | images |",
            "| --- | ---: |",
            *(f"| {_cell(name)} | {number} |" for name, number in counts.items()),
            "",
            "## What asked for which images",
            "",
            "`control`: drawn at random, to measure with. `known`: labelled before the run began "
            "(cycle -1).",
            "",
            "| cycle | asked for by | images |",
            "| ---: | --- | ---: |",
            *(
                f"| {row.cycle} | {_cell(row.why)} | {row.images} |"
                for row in labelled.queries().itertuples()
            ),
            "",
            "## Columns",
            "",
            "`label`; `id`: the image's name in the pool; `cycle` and `why`: when it was asked for, "
            "and by what; `annotators` and `answered`: who said so, and when; `weight`.",
            "",
        ]
    )


def _weights(labelled: Labelled) -> list[str]:
    if labelled.drawn:
        return [WEIGHT, "", f"{labelled.drawn} images have a weight above 0."]
    return ["No image was drawn at random: `weight` is 0, and nothing here speaks for the pool."]


def _size(images: int) -> str:
    return next((name for limit, name in SIZES.items() if images < limit), LARGE)


def _quoted(text: str) -> str:
    """Return a text as YAML reads it: JSON's strings are YAML's."""
    return json.dumps(text, ensure_ascii=False)


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")
