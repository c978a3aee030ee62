"""What the graph of a run depends on."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class GraphOptions:
    """Options of a run's graph; by default those of the default settings.

    Attributes
    ----------
    cycles
        How many there are; of people's, as many as can be finished now.
    people
        People answer: the graph ends with a query that waits for them, unless all cycles are
        finished.
    waits
        Whether there is such a query, of cycle `cycles`.
    tested
        Whether there is a test split with labels.
    knows_pool
        Whether it starts from the labels that people gave in other runs on its pool.
    control
        Whether each query has a control slice.
    reasons
        Whether each query says why its images were chosen.
    map
        How the map of the pool is drawn: pca, umap or none.
    suspects
        Cycles after which labels that are likely wrong are looked for, or were.
    lists_suspects
        Whether the report lists those of the last cycle.
    relabels
        Whether queries ask for some of these labels again.
    own_trunk
        Whether features are those of the pretext network's trunk; else those of a network that
        others have trained.
    views
        Whether the pretext task is told from features of views.
    probes
        Whether the main model is a probe of features.
    compares
        Whether a probe of features is tested beside the main network, which was trained otherwise.
    tunes
        Whether the main network starts as the network whose features are computed.
    closed
        Number of cycles that were made with other settings: they are read, and never made again.
    bridge
        The cycle before which the network that is asked is trained again, with today's settings;
        None: there is none.
    unexplained
        Closed cycles whose queries don't say why.
    chosen_by
        What chose the queries that were made with other settings, of cycles that are not closed.
    """

    cycles: int = 5
    people: bool = False
    waits: bool = False
    tested: bool = True
    knows_pool: bool = False
    control: bool = False
    reasons: bool = True
    map: str = "pca"
    suspects: frozenset[int] = frozenset()
    lists_suspects: bool = True
    relabels: bool = False
    own_trunk: bool = False
    views: bool = True
    probes: bool = True
    compares: bool = False
    tunes: bool = False
    closed: int = 0
    bridge: int | None = None
    unexplained: frozenset[int] = frozenset()
    chosen_by: Mapping[int, str] = field(default_factory=dict)
