"""Commands, run in this process."""

import io

import pytest


@pytest.fixture
def call(capsys, monkeypatch):
    """Run a command in this process: its exit code, its output, its errors.

    `typed` is what it finds at its standard input.
    """
    from rnnbook.cli import main as command_line

    def run(*arguments: str, typed: str = "") -> tuple[int, str, str]:
        capsys.readouterr()
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        try:
            code = command_line.main(arguments)
        except SystemExit as stop:
            code = stop.code
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def refused(call):
    """Check that a command is refused with exit code 2 and one line that holds `message`."""

    def check(message: str, *arguments: str, typed: str = "") -> None:
        code, out, err = call(*arguments, typed=typed)
        assert (code, out) == (2, "")
        assert err.startswith("rnnbook: ") and err.count("\n") == 1 and err.endswith("\n")
        assert message in err

    return check
