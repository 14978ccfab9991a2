"""The history for TensorBoard."""

import sys

import pytest

from models.errors import DataError
from training.loops.history_log import HistoryLog


def _scalars(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder))
    events.Reload()
    return {
        tag: [(event.step, round(event.value, 4)) for event in events.Scalars(tag)]
        for tag in events.Tags()["scalars"]
    }


def test_every_number_of_an_epoch_is_written_under_its_phase(tmp_path):
    log = HistoryLog(tmp_path / "log")
    log.write("select", {"epoch": 1, "loss": 0.5, "note": "a word"})
    log.write("select", {"epoch": 2, "loss": 0.25, "note": "a word"})
    log.write("refit", {"epoch": 1, "loss": 0.75})
    log.close()
    assert _scalars(tmp_path / "log") == {
        "select/loss": [(1, 0.5), (2, 0.25)],
        "refit/loss": [(1, 0.75)],
    }


def test_without_a_folder_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    log = HistoryLog(None)
    log.write("select", {"epoch": 1, "loss": 0.5})
    log.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("module", ["torch.utils.tensorboard", "tensorboard"])
def test_a_missing_tensorboard_is_said_with_the_command_that_installs_it(
    tmp_path, monkeypatch, module
):
    monkeypatch.delitem(sys.modules, "torch.utils.tensorboard", raising=False)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(DataError, match=r"pip install 'kyomei\[logging\]'"):
        HistoryLog(tmp_path / "log")
    assert not (tmp_path / "log").exists()
