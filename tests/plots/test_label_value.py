"""The picture of what the labels bought."""

from pt4al.plots.label_value import draw_label_value

CURVE = [
    {"labels": 100, "value": 0.6, "low": 0.5, "high": 0.7},
    {"labels": 200, "value": 1.0, "low": 0.9, "high": 1.0},
]
AHEAD = [
    {"labels": 300, "value": 0.9, "low": 0.8, "high": 0.95},
    {"labels": 400, "value": 0.92, "low": 0.8, "high": 0.97},
]


def test_each_measured_and_each_coming_cycle_is_drawn():
    (axes,) = draw_label_value(CURVE, AHEAD, "accuracy").axes
    (measured,) = axes.containers
    assert list(measured.lines[0].get_xdata()) == [100, 200]
    (coming,) = [line for line in axes.lines if list(line.get_xdata()) == [300, 400]]
    assert list(coming.get_ydata()) == [0.9, 0.92]
    told = [words.get_text() for words in axes.get_legend().get_texts()]
    assert told == ["forecast, 95 % band", "measured, 95 % intervals"]


def test_intervals_reach_from_low_to_high():
    (axes,) = draw_label_value(CURVE, [], "accuracy").axes
    (bars,) = axes.containers[0].lines[2]
    assert [[round(end, 6) for _, end in bar] for bar in bars.get_segments()] == [[0.5, 0.7], [0.9, 1.0]]


def test_a_first_cycle_alone_can_be_drawn_and_the_metric_is_named():
    (axes,) = draw_label_value(CURVE[:1], [], "miou").axes
    assert "mean IoU" in axes.get_ylabel()
