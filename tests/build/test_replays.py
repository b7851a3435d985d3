"""A run of each study, made again in its first steps. Together they take minutes."""

import pytest

from rnnbook.records import conduct, jobs, runs
from rnnbook.records.record import Record


@pytest.mark.parametrize("name", conduct.names())
def test_the_first_steps_of_a_run_can_be_made_again(name):
    record = Record.load(name)
    run = list(record.runs)[len(record.runs) // 2]
    trace = record.runs[run]["trace"]
    assert jobs.first_difference(trace, runs.replay(name, run)) is None
