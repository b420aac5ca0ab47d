"""metrics.jsonl: what a killed run left in it is put right."""

import errno

import pytest

from handmade.errors import InputError
from handmade.train.metrics import MetricsLog, read_metrics


def test_lines_are_on_the_disk_as_soon_as_they_are_written(tmp_path):
    log = MetricsLog(tmp_path / "metrics.jsonl", 0)
    log.append({"step": 10, "loss": 0.1 + 0.2})
    assert read_metrics(tmp_path / "metrics.jsonl") == [{"step": 10, "loss": 0.1 + 0.2}]
    log.close()


@pytest.mark.parametrize("torn", ["", '{"st', '{"step": 25'])
def test_going_on_takes_out_later_lines_and_a_torn_one(tmp_path, torn):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 10}\n{"step": 20}\n{"step": 30}\n' + torn)
    log = MetricsLog(path, 20)
    log.append({"step": 21})
    log.close()
    assert path.read_text() == '{"step": 10}\n{"step": 20}\n{"step": 21}\n'


def test_a_damaged_line_is_reported(tmp_path):
    (tmp_path / "metrics.jsonl").write_text('{"step": 10}\n{"step"\n')
    with pytest.raises(InputError, match=r"metrics\.jsonl is damaged"):
        MetricsLog(tmp_path / "metrics.jsonl", 20)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"cannot read .*metrics\.jsonl"):
        read_metrics(tmp_path / "metrics.jsonl")


@pytest.mark.parametrize("call", ["write", "sync"])
def test_a_full_disk_is_reported(tmp_path, monkeypatch, call):
    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    log = MetricsLog(tmp_path / "metrics.jsonl", 0)
    monkeypatch.setattr("os.fsync", full)
    monkeypatch.setattr("json.dumps", full)
    with pytest.raises(InputError, match=r"cannot write .*metrics\.jsonl: No space left on device"):
        log.append({"step": 1}) if call == "write" else log.sync()
    log.close()
