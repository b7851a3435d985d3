"""What a reader's own function is told."""

import numpy as np
import pytest
import torch

from rnnbook.page.yourself import compare

X = np.arange(6.0).reshape(2, 3)


def reference(x):
    return 2 * x


def raises(x):
    return x + undefined  # noqa: F821


def late(x):
    y = 2 * x
    y[1, 2] += 1
    return y


@pytest.mark.parametrize(
    ("mine", "said"),
    [
        (lambda x: x + x, "Right."),
        (lambda x: torch.tensor(2 * x, requires_grad=True), "Right."),
        (lambda x: None, "<lambda> returns nothing yet."),
        (raises, "raises stops with NameError: name 'undefined' is not defined"),
        (lambda x: 2 * x[0], "Result has the shape (3,); expected is (2, 3)."),
        (late, "Result is wrong, first at index (1, 2): 11; expected is 10."),
        (lambda x: (2 * x, x), "<lambda> returns 2 results; 1 are expected."),
        (
            lambda x: [torch.ones(2, requires_grad=True)] * 2,
            "<lambda> returns a list; an array or a tensor is expected.",
        ),
        (lambda x: {"h": x}, "<lambda> returns a dict; an array or a tensor is expected."),
        (lambda x: "2x", "<lambda> returns a str; an array or a tensor is expected."),
        (lambda x: x * np.nan, "Result is wrong, first at index (0, 0): nan; expected is 0."),
    ],
)
def test_a_function_is_compared_with_the_reference(mine, said, capsys):
    compare(mine, reference, X)
    assert capsys.readouterr().out.strip() == said


def test_what_a_function_does_to_its_inputs_changes_nothing_else(capsys):
    x = X.copy()
    compare(lambda x: x.__imul__(2), reference, x)
    compare(lambda x: x.__imul__(0), reference, x)
    right, wrong = capsys.readouterr().out.splitlines()
    assert right == "Right." and wrong.startswith("Result is wrong") and (x == X).all()


def test_of_several_results_the_wrong_one_is_named(capsys):
    compare(lambda x: (x, 2.5), lambda x: (x, 2.0), X)
    assert capsys.readouterr().out.strip() == "Result 2 is wrong, first 2.5; expected is 2."
