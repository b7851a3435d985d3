"""What the study of names counts: by length, and by place with teacher forcing."""

import math
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from rnnbook.data.names import load_names
from rnnbook.data.pairs import Name, Names
from rnnbook.data.words import encode_pairs
from rnnbook.metrics.error_rates import exact
from rnnbook.records.record import Record
from rnnbook.studies import even_weights, names, pass_rates, passes, peer
from rnnbook.studies.shared import names as shared
from rnnbook.training.recipes import names as recipes


def test_a_measure_by_length_is_that_of_the_names_of_each_span():
    lengths = list(range(2, 17))
    answers = ["ア" if length in (4, 5, 10, 16) else "イ" for length in lengths]
    right = [("ア", "ウ")] * len(lengths)
    found = shared.by_length(exact, lengths, answers, right)
    assert found == pytest.approx([1 / 3, 1, 0, 0, 0, 0, 1 / 2, 1 / 5])
    assert len(found) == len(shared.EDGES) - 1


def test_every_test_name_has_a_span():
    first, *_, end = shared.EDGES
    assert all(first <= len(name.spelling) < end for name in load_names().test)
    assert list(shared.EDGES) == sorted(set(shared.EDGES))


class Stubborn(nn.Module):
    """Writes the same character at every step, whatever it is given."""

    def __init__(self, V: int, character: int):
        super().__init__()
        self.scores = torch.zeros(V)
        self.scores[character] = 1

    def forward(self, source, lengths, previous):
        return self.scores.expand(*previous.shape, len(self.scores))


def test_mistakes_with_teacher_forcing_are_counted_up_to_the_sign_to_end():
    """Of アイ and ア, one who always writes ア (1) has the first kana right, and nothing else."""
    right = [("アイ",), ("ア", "アイ")]
    wrong = shared.forced_mistakes(Stubborn(3, 1), ["ai", "a"], right, "ai", "アイ")
    assert wrong[0].tolist() == [0, 1, 1]
    assert wrong[1, :2].tolist() == [0, 1] and math.isnan(wrong[1, 2])
    never_starts = shared.forced_mistakes(Stubborn(3, 0), ["ai", "a"], right, "ai", "アイ")
    assert never_starts[0].tolist() == [1, 1, 0]


class Untrained:
    """Trains nothing, and notes on what it should have."""

    def __init__(self, model: nn.Module):
        self.network, self.given = model, None

    def model(self, *sizes):
        return self.network

    def train(self, model, *given, stop):
        self.given = given
        return SimpleNamespace(losses=[1.0])


def test_who_has_learned_the_training_names_is_judged_by_the_test_names_alone(monkeypatch):
    """Of all test names the first kana is ア for long ones (from nine letters), イ for others."""

    def some(letter, kana):
        return tuple(Name(letter * k, (kana[k >= 9],)) for k in (2, 5, 6, 7, 8, 9, 10, 12))

    parts = {"train": some("a", "イイ"), "held_out": some("b", "アア"), "test": some("c", "イア")}
    known = SimpleNamespace(letters="abc", kana="アイ", **parts)
    right = {name.spelling: name.readings[0] for name in known.test}
    monkeypatch.setattr(shared, "load_names", lambda: known)
    monkeypatch.setattr(shared, "answers_of", lambda model, known, words: [right[w] for w in words])
    recipe = Untrained(Stubborn(3, 1))  # says ア at every step
    found = shared.train_and_judge(recipe)
    pairs = [(name.spelling, name.readings) for name in known.train]
    assert all(map(torch.equal, recipe.given, encode_pairs(pairs, "abc", "アイ")))
    assert (found["exact"], found["error_rate"]) == (1, 0)
    assert found["exact_by_length"] == [1] * (len(shared.EDGES) - 1)
    assert found["forced_in_long_names"] == [0, 1]  # the end, which it never says


def test_mistakes_by_place_pass_over_what_is_no_character():
    nan = torch.nan
    wrong = torch.tensor([[1.0, 0, 1], [0, 0, nan], [1, nan, nan], [0, nan, nan]])
    assert shared.mistakes_by_place(wrong) == [0.5, 0, 1]
    assert len(shared.mistakes_by_place(torch.zeros(2, 20))) == shared.PLACES


def test_who_reads_backwards_is_given_the_last_letter_first():
    name = Name("anno", ("アンノ",))
    assert [shared.turned(name, way) for way in names.WAYS] == ["anno", "anno", "onna"]


def test_each_way_to_read_hands_on_a_state_of_the_same_size():
    for run in names.RUNS.values():
        model = names.recipe(run).model(28, 86)
        memory = model.encode(torch.randint(1, 28, (2, 5)), torch.tensor([5, 3]))
        assert [tuple(part.shape) for part in model.start(memory)] == [(2, run["size"])] * 2
        assert model.encoder.bidirectional == (run["way"] == "both ways")
        assert model.attention is None


def test_the_peer_is_judged_by_every_reading_of_a_name(monkeypatch):
    """Its model is not needed for this: another writer stands in for it."""

    class Package:
        @staticmethod
        def C2K():
            return {"anna": "アンナ", "bo": "ボ", "cy": "シ", "di": "ディ"}.get

    class Known:
        test = (
            Name("anna", ("アンナ", "アナ")),
            Name("bo", ("ボー",)),
            Name("cy", ("サイ", "シイ")),
            Name("di", ("ダイ", "ディ")),
        )

    monkeypatch.setattr(peer, "import_module", lambda name: Package)
    monkeypatch.setattr(peer, "load_names", Known)
    found = peer.run(peer.RUNS["e2k 0.8.1"])
    assert found["exact"] == pytest.approx(2 / 4)
    assert found["but_for_variants"] == pytest.approx(3 / 4)
    assert found["trace"] == pytest.approx([0, 1 / 2, 1 / 2, 0])
    assert found["error_rate"] == pytest.approx(2 / 9)
    assert peer.run(peer.RUNS["e2k 0.8.1"], stop=2)["trace"] == pytest.approx([0, 1 / 2])


def test_the_race_is_run_with_what_did_best_on_the_held_out_names():
    searched = Record.load("pass_rates")
    for (network, number), chosen in passes.CHOSEN.items():
        tried = searched.find(network=network, passes=number)
        best = max(tried, key=lambda result: result["exact"])["settings"]
        assert (best["lr"], best["dropout"]) == chosen, (network, number)


def test_the_race_has_no_seed_of_the_search():
    assert 0 not in passes.SEEDS
    assert pass_rates.recipe("LSTM", 1, 1e-3, 0.05).seed == 0


def test_only_what_the_study_names_differs_from_the_recipe_of_the_book():
    chosen = pass_rates.recipe("transformer", 3, 1e-3, 0.25, seed=4)
    book = replace(recipes.names(), epochs=3, lr=1e-3, seed=4, network=chosen.network)
    assert replace(chosen, objective=None) == replace(book, objective=None)
    assert chosen.model(5, 7).dropout.p == 0.25


def test_answers_are_judged_by_all_readings_of_the_names_that_are_given():
    known = Names((Name("a", ("ア", "イ")), Name("b", ("イ",))))

    class Writer(nn.Module):
        """Answers every word with イ."""

        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(3))

        def encode(self, source, lengths):
            return len(source)

        def start(self, memory):
            return (torch.zeros(memory, dtype=torch.long),)

        def step(self, previous, state, memory):
            wanted = torch.where(previous == 0, 2, 0)  # イ, then the end
            return 9 * nn.functional.one_hot(wanted, 3).float(), state

    found = pass_rates.judged(Writer(), known, known.names)
    assert found == {"parameters": 3, "exact": 1.0, "error_rate": 0.0}
    (only,) = Names((Name("a", ("アア",)),)).names
    assert pass_rates.judged(Writer(), known, [only])["error_rate"] == 1.0


def test_the_control_of_attention_looks_at_all_letters_alike():
    states, mask = torch.randn(2, 4, 6), torch.tensor([[True] * 4, [True, True, False, False]])
    attention = even_weights.EvenAttention(3, 6)
    seen, weights = attention(torch.randn(2, 5, 3), attention.keys(states), states, mask)
    assert weights[0].eq(1 / 4).all() and weights[1].eq(torch.tensor([0.5, 0.5, 0, 0])).all()
    torch.testing.assert_close(seen[1, 2], states[1, :2].mean(dim=0))
