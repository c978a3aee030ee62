"""What a run took, however often its page is made again."""

import pandas as pd

from pt4al.pipelines.report.nodes import without_repeats


def test_a_report_made_again_counts_once_and_a_pool_that_grew_each_time() -> None:
    rows = [
        ("pool", "build_pool", 10.0),
        ("report", "draw_pictures", 3.0),
        ("cold_start", "choose_starts", 7.0),
        ("pool", "build_pool", 1.0),
        ("report", "draw_pictures", 4.0),
        ("cold_start", "choose_starts", 8.0),
    ]
    timings = pd.DataFrame(rows, columns=["stage", "node", "seconds"])
    assert without_repeats(timings)["seconds"].sum() == 10 + 1 + 4 + 8
    assert without_repeats(timings.iloc[:0]).empty
