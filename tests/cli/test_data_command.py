"""handmade data: the catalogue."""

from handmade.data import catalogue


def test_every_set_is_listed_with_its_place_and_licence(handmade):
    ran = handmade("data")
    assert ran.code == 0
    rows = ran.out.splitlines()
    assert rows[0].split() == ["name", "where", "examples", "licence"]
    assert [row.split()[0] for row in rows[1:]] == list(catalogue())
    fashion = next(row for row in rows if row.startswith("fashion-mnist "))
    assert "packaged" in fashion
    assert "train 12,000, test 2,000" in fashion
    assert fashion.endswith("MIT")


def test_a_set_is_described_with_its_files(handmade):
    ran = handmade("data", "fashion-mnist")
    assert ran.out.startswith("fashion-mnist: Pictures of clothes")
    assert "  classes   T-shirt/top, Trouser," in ran.out
    assert ran.out.count("\n  file ") == 4
    assert "/train-images-idx3-ubyte.gz (" in ran.out
    assert " bytes)" in ran.out


def test_files_that_are_not_here_are_said_to_be_downloaded(handmade, monkeypatch, tmp_path):
    monkeypatch.setenv("HANDMADE_DATA", "")
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: tmp_path)
    assert "mnist/train-images-idx3-ubyte.gz (to download)" in handmade("data", "mnist").out


def test_an_unknown_set_is_told_the_nearest_one(handmade):
    ran = handmade("data", "fashon-mnist")
    assert ran.code == 2
    assert "no data set is called 'fashon-mnist'; did you mean 'fashion-mnist'?" in ran.err
