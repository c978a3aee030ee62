"""Pretext tasks: self-supervised tasks whose score an image ranks the pool; one file a task."""

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
