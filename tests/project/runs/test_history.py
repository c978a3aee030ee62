"""Which settings a chapter of a run began with, and what became of the ones before."""

from pt4al.project.runs.history import Chapter, History, is_free

START = {"cycles.number": 3, "cycles.budget": 10, "query.measure": "margin", "query.start": "random"}
START |= {"query.strategy": "top", "engine.threads": 1, "main.network": "resnet8_w16"}


def grown(asks: int, trains: int, **changes: object) -> History:
    settings = START | {name.replace("__", "."): value for name, value in changes.items()}
    return History.begin(START).go_on(Chapter(asks, trains, settings, {}))


def test_a_cycle_belongs_to_the_chapter_that_made_its_query_and_to_the_one_that_trained_it() -> None:
    history = grown(3, 2, query__measure="entropy", cycles__budget=6)
    assert [history.chosen_by(cycle) for cycle in range(4)] == ["random", "margin", "margin", "entropy"]
    assert [history.budget(cycle) for cycle in range(4)] == [10, 10, 10, 6]
    assert history.trained(1) is history.first
    assert history.trained(2) is history.now


def test_cycles_are_closed_and_a_network_is_trained_again_only_where_settings_make_it_so() -> None:
    assert (grown(2, 2, engine__threads=4).closed, grown(2, 2, engine__threads=4).bridge) == (0, None)
    assert (grown(2, 2, query__measure="entropy").closed, grown(2, 2, query__measure="entropy").bridge) == (2, None)
    assert (grown(2, 2, main__network="resnet18").closed, grown(2, 2, main__network="resnet18").bridge) == (2, 2)
    assert grown(2, 2, query__measure="learning_loss").bridge == 2
    assert grown(1, 0, main__network="resnet18").bridge is None  # nothing has been trained before it


def test_a_chapter_that_made_nothing_leaves_no_trace() -> None:
    history = grown(2, 2, query__measure="entropy").go_on(Chapter(2, 2, START | {"query.measure": "bald"}, {}))
    assert history.sentences() == ["from cycle 2 on: query.measure margin -> bald"]


def test_a_list_of_budgets_may_grow_without_a_word_and_not_change() -> None:
    then = START | {"cycles.budget": [10, 20, 30]}
    assert is_free(then, then | {"cycles.number": 4, "cycles.budget": [10, 20, 30, 40]})
    assert not is_free(then, then | {"cycles.budget": [10, 20, 40]})
    assert not is_free(then, then | {"cycles.budget": 10})


def test_what_is_written_down_is_read_again() -> None:
    history = grown(3, 2, cycles__budget=[1, 2])
    assert History.from_records(history.records()) == history
