"""What a map says in words: which regions have no label, and which few images show all of it."""

import numpy as np

from pt4al.statistics.regions import CELLS, coverage, spread

UNIT = 65536 // CELLS


def spots(*cells: tuple[int, int, int]) -> np.ndarray:
    """So many points in the middle of each cell: (column, line, points)."""
    places = [[(column + 0.5) * UNIT, (line + 0.5) * UNIT] for column, line, points in cells for _ in range(points)]
    return np.array(places).astype(np.uint16)


def test_the_largest_regions_without_a_label_come_first() -> None:
    points = spots((0, 0, 30), (8, 8, 50), (15, 15, 40), (15, 0, 1))
    labelled = np.zeros(121, bool)
    labelled[30] = True  # one of those in the middle
    losses = np.linspace(0, 1, 121)
    found = coverage(points, labelled, losses)
    assert (found.cells, found.without, found.images) == (4, 3, 71)
    assert [(region["place"], region["images"]) for region in found.regions] == [
        ("upper right", 40),
        ("lower left", 30),
    ]
    assert found.regions[0]["box"] == [15 * UNIT, 15 * UNIT, 16 * UNIT, 16 * UNIT]
    assert found.regions[0]["loss"] == np.median(losses[80:120])


def test_losses_that_are_not_known_are_not_told() -> None:
    found = coverage(spots((0, 15, 3)), np.zeros(3, bool), np.full(3, np.nan))
    assert found.regions[0]["loss"] is None
    assert found.regions[0]["place"] == "upper left"


def test_a_map_whose_cells_all_hold_a_label_has_no_region_to_name() -> None:
    found = coverage(spots((3, 3, 4), (5, 5, 2)), np.array([1, 0, 0, 0, 1, 0], bool), np.zeros(6))
    assert (found.cells, found.without, found.regions) == (2, 0, [])


def test_the_beginning_of_a_spread_shows_each_region_once() -> None:
    points = spots((0, 0, 500), (8, 8, 20), (15, 15, 1))
    order = spread(points, np.random.default_rng(0))
    assert sorted(order) == list(range(521))
    assert {tuple(points[row]) for row in order[:3]} == {tuple(spot) for spot in np.unique(points, axis=0)}
    assert np.array_equal(order, spread(points, np.random.default_rng(0)))
