"""metrics.jsonl: what a killed run left in it is put right."""

import errno

import pytest

from handmade.errors import InputError
from handmade.train.metrics import MetricsLog, read_metrics


def test_lines_are_on_the_disk_as_soon_as_they_are_written(tmp_path):
    log = MetricsLog(tmp_path / "metrics.jsonl", 0, print)
    log.append({"step": 10, "loss": 0.1 + 0.2})
    assert read_metrics(tmp_path / "metrics.jsonl") == [{"step": 10, "loss": 0.1 + 0.2}]
    log.close()


@pytest.mark.parametrize("torn", ["", '{"st', '{"step": 25'])
def test_going_on_takes_out_later_lines_and_a_torn_one(tmp_path, torn):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 10}\n{"step": 20}\n{"step": 30}\n' + torn)
    log = MetricsLog(path, 20, pytest.fail)
    log.append({"step": 21})
    log.close()
    assert path.read_text() == '{"step": 10}\n{"step": 20}\n{"step": 21}\n'


DAMAGED = [
    b'{"step": 15\n',
    b'{"step": 15, "loss": 0.\xff5}\n',
    b"\xff\n",
    b"5\n",
    b"\n",
    b"null\n",
    b'{"loss": 5}\n',
    b'{"step": "15"}\n',
    b'{"step": true}\n',
    b'{"step": 1e308}\n',
    b'{"step": 15, "loss": [1]}\n',
    b'{"step": 15, "loss": NaN}\n',
    b'{"step": 15, "test_loss": "low"}\n',
    b'{"step": 15, "sample": 7}\n',
    b"[" * 100_000 + b"\n",
    b'{"step": ' + b"9" * 5000 + b"}\n",
]


@pytest.mark.parametrize("damaged", DAMAGED, ids=lambda line: repr(line[:24]))
def test_a_damaged_line_is_told_and_left_out(tmp_path, damaged):
    path, said = tmp_path / "metrics.jsonl", []
    content = b'{"step": 10}\n' + damaged + b'{"step": 20}\n'
    path.write_bytes(content)
    log = MetricsLog(path, 20, said.append)
    log.close()
    assert log.lines == [{"step": 10}, {"step": 20}] == read_metrics(path)
    (sentence,) = said
    assert f"{path}, line 2," in sentence
    assert sentence.endswith("Training goes on without; the file as it was is now metrics.damaged-1.jsonl.")
    assert (tmp_path / "metrics.damaged-1.jsonl").read_bytes() == content


def test_of_many_damaged_lines_the_first_is_told(tmp_path):
    path, said = tmp_path / "metrics.jsonl", []
    path.write_bytes(b"5\n6\n7\n")
    MetricsLog(path, 20, said.append).close()
    assert "line 1, is 5, expected an object with step. So are 2 more lines." in said[0]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"cannot read .*metrics\.jsonl"):
        read_metrics(tmp_path / "metrics.jsonl")


@pytest.mark.parametrize("call", ["write", "sync"])
def test_a_full_disk_is_reported(tmp_path, monkeypatch, call):
    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    log = MetricsLog(tmp_path / "metrics.jsonl", 0, print)
    monkeypatch.setattr("os.fsync", full)
    monkeypatch.setattr("json.dumps", full)
    with pytest.raises(InputError, match=r"cannot write .*metrics\.jsonl: No space left on device"):
        log.append({"step": 1}) if call == "write" else log.sync()
    log.close()
