"""The command that trains a model to write down spoken digits."""

import argparse

from torch.nn import Module

from rnnbook.cli.train import run
from rnnbook.data.speech import Recording, load_speech, said
from rnnbook.decoding.ctc import transcribe
from rnnbook.metrics.error_rates import character_error_rate, exact


def train(options: argparse.Namespace) -> None:
    """Train the model of speech as its chapter does, and measure it on strings kept apart."""
    speech = load_speech()

    def test(model: Module) -> str:
        wrong, right = judged(model, speech.test_strings)
        return (
            f"{len(speech.test_strings)} test strings: {wrong:.2%} of the digits wrong, "
            f"{right:.1%} of the strings right"
        )

    run(
        options,
        "speech",
        (speech.train,),
        test,
        evaluate=lambda model: judged(model, speech.held_out_strings)[0],
        measure="held-out digits wrong",
    )


def judged(model: Module, strings: list[list[Recording]]) -> tuple[float, float]:
    """The share of digits that a model hears wrongly, and of strings that it hears rightly."""
    heard, right = transcribe(model, strings), [[said(string)] for string in strings]
    return character_error_rate(heard, right), exact(heard, right)
