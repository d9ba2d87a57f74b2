"""What is said while something compiles."""

import time

from bea.numerics import patience


def test_a_long_first_call_is_announced_once(monkeypatch, capsys):
    monkeypatch.setattr(patience, "MOMENT", 0.01)
    monkeypatch.setattr(patience, "_told", set())
    for _ in range(2):
        with patience.patience("something large"):
            time.sleep(0.2)
    assert capsys.readouterr().err == "bea: compiling something large; later runs find it on disk\n"


def test_control_a_short_call_is_silent(monkeypatch, capsys):
    monkeypatch.setattr(patience, "_told", set())
    with patience.patience("something small"):
        pass
    assert capsys.readouterr().err == ""
