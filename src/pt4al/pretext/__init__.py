"""Pretext tasks: self-supervised tasks whose score of each image ranks the pool; one file a task.

The default, `pretext.start_from: features`, needs a task that can be told from features of a few
views (`viewed`); any task trains a network with `start_from: fresh`.
"""

from pt4al.pretext.colorization import Colorization
from pt4al.pretext.embedding import Embedding
from pt4al.pretext.jigsaw import Jigsaw
from pt4al.pretext.rotation import Rotation
from pt4al.pretext.simsiam import SimSiam
from pt4al.pretext.task import PretextTask

PRETEXT_TASKS: dict[str, PretextTask] = {
    "rotation": Rotation(),
    "colorization": Colorization(),
    "jigsaw": Jigsaw(),
    "simsiam": SimSiam(),
    "embedding": Embedding(),
}
