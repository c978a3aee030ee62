"""The picture of first queries."""

import pytest

from pt4al.plots.cold_start import accuracy_by_budget
from pt4al.statistics.cold_start import summarise
from support.first_queries import measured


def test_figure_has_a_line_for_each_start():
    axes = accuracy_by_budget(summarise(measured(random=0.5, fixed="0.55"))).axes[0]
    assert [line.get_label() for line in axes.get_lines()] == ["random", "fixed"]
    assert axes.get_lines()[1].get_ydata() == pytest.approx([0.55, 0.55])
