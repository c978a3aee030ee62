"""Names of ImageNet's classes: several WordNet synsets share a first name."""

from collections import Counter


def unique_names(names: dict[str, str]) -> dict[str, str]:
    """Return each synset's name, with its WordNet id behind repeated ones: `crane n02012849`."""
    times = Counter(names.values())
    return {wnid: name if times[name] == 1 else f"{name} {wnid}" for wnid, name in names.items()}
