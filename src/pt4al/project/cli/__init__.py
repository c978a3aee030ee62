"""Commands beside `kedro run`."""
