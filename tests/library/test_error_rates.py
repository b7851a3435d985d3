"""How good written answers are: by hand, and by another way to the edit distance."""

from functools import cache

import pytest
import torch

from rnnbook.metrics.error_rates import (
    among_first,
    character_error_rate,
    exact,
    exact_but_for_variants,
    without_variants,
)

ANSWERS = ["マリー", "ジョン", "スミト", "ヴァン"]
REFERENCES = [("マリー", "メアリー"), ("ジャン", "ヨハン"), ("スミス",), ("バーン", "バン")]


def test_any_of_several_references_is_right():
    assert exact(ANSWERS, REFERENCES) == 1 / 4
    assert exact(["メアリー"], REFERENCES[:1]) == 1
    assert exact(["マリーメアリー"], REFERENCES[:1]) == 0


def test_the_error_rate_by_hand():
    """0 of 3, 1 of 3 (ョ for ャ), 1 of 3, and 2 of 2 (ヴァン has two others for バ)."""
    assert character_error_rate(ANSWERS, REFERENCES) == (0 + 1 + 1 + 2) / (3 + 3 + 3 + 2)
    assert character_error_rate(["アイウエオ"], [["エ"]]) == 4
    assert character_error_rate([""], [["エイ"]]) == 1


def distance(a, b):
    """By its definition: the last characters are the same, or one is removed, put in, replaced."""

    @cache
    def of(i, j):
        if 0 in (i, j):
            return i + j
        return min(of(i - 1, j) + 1, of(i, j - 1) + 1, of(i - 1, j - 1) + (a[i - 1] != b[j - 1]))

    return of(len(a), len(b))


def test_the_distance_is_that_of_its_definition():
    generator = torch.Generator().manual_seed(0)
    sizes = torch.randint(1, 8, (200,), generator=generator).tolist()
    words = [
        "".join("アイウ"[k] for k in torch.randint(3, (n,), generator=generator)) for n in sizes
    ]
    for a, b in zip(words[::2], words[1::2], strict=True):
        assert character_error_rate([a], [[b]]) == distance(a, b) / len(b)
    nearest = min((distance(words[0], one), len(one)) for one in words[1:5])
    assert character_error_rate(words[:1], [words[1:5]]) == nearest[0] / nearest[1]


def test_among_the_first_answers():
    ranked = [["ア", "イ", "ウ"], ["エ"], []]
    references = [["ウ", "カ"], ["エ"], ["オ"]]
    assert [among_first(ranked, references, n) for n in (1, 2, 3)] == [1 / 3, 1 / 3, 2 / 3]


@pytest.mark.parametrize(
    ("kana", "plain"),
    [
        ("マッカートニー", "マカトニ"),
        ("ヴァヴィヴヴェヴォ", "バビブベボ"),
        ("ヴュー", "ビュ"),
        ("ヷヸヹヺ", "バビベボ"),
        ("スミス", "スミス"),
        ("ヴ", "ブ"),
    ],
)
def test_spellings_that_writers_choose_between(kana, plain):
    assert without_variants(kana) == plain


def test_exact_but_for_variants():
    """ヴァン is バン, and the バーン beside it is, too."""
    assert exact_but_for_variants(ANSWERS, REFERENCES) == 2 / 4
    assert exact_but_for_variants(["マリ"], [["マリー"]]) == 1


@pytest.mark.parametrize("measure", [exact, character_error_rate, exact_but_for_variants])
def test_each_answer_has_its_references(measure):
    with pytest.raises(ValueError):
        measure(ANSWERS, REFERENCES[1:])
