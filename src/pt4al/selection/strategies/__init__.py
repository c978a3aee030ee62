"""Strategies: which of the candidates a query asks for. One file a strategy."""

from pt4al.selection.strategies.badge import Badge
from pt4al.selection.strategies.balance import BALANCED_NEEDS, balanced
from pt4al.selection.strategies.centres import Centres
from pt4al.selection.strategies.cluster_margin import ClusterMargin
from pt4al.selection.strategies.coreset import Coreset
from pt4al.selection.strategies.dropquery import DropQuery
from pt4al.selection.strategies.herding import Herding
from pt4al.selection.strategies.probcover import ProbCover
from pt4al.selection.strategies.strata import Strata
from pt4al.selection.strategies.strategy import Strategy
from pt4al.selection.strategies.top import Top
from pt4al.selection.strategies.typical_first import TypicalFirst
from pt4al.selection.strategies.typiclust import TypiClust
from pt4al.selection.strategies.uncertainty_herding import UncertaintyHerding
from pt4al.selection.strategies.weighted_kmeans import WeightedKMeans

__all__ = ["BALANCED_NEEDS", "FEATURE_STARTS", "REMOVED", "STRATEGIES", "Strategy", "balanced"]


STRATEGIES: dict[str, type[Strategy]] = {
    "top": Top,
    "coreset": Coreset,
    "badge": Badge,
    "typiclust": TypiClust,
    "probcover": ProbCover,
    "centres": Centres,
    "cluster_margin": ClusterMargin,
    "strata": Strata,
    "typical_first": TypicalFirst,
    "herding": Herding,
    "uncertainty_herding": UncertaintyHerding,
    "dropquery": DropQuery,
    "weighted_kmeans": WeightedKMeans,
}

# Strategies that are no more, and what to use instead.
REMOVED = {
    "audited": "strategy top with `query.scope=batch`, or uncertainty_herding with "
    "`query.options={weight: loss}`",
    "loss_weighted": "uncertainty_herding with `query.options={weight: loss}`",
    "shortlist": "badge or cluster_margin",
}

# Strategies that need no main model, hence may choose the first query too.
FEATURE_STARTS = sorted(
    name for name, strategy in STRATEGIES.items() if strategy.needs <= {"features", "labelled"}
)
