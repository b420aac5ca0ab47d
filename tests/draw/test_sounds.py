import numpy as np

from handmade import draw
from tests.support.pictures import assert_readable, written


def test_listening(tmp_path, rng):
    words = [draw.Said("7", 0.2, 0.6, True), draw.Said("3", 1.0, 1.4, False)]
    times = np.linspace(0, 2, 50)
    heard = draw.Heard(2.0, rng.normal(size=400), words, times, times / 4)
    silent = heard._replace(samples=np.zeros(400), words=[])
    picture = draw.listening([heard, silent], "Waiting for 7: a voice never heard before")
    assert_readable(picture, tmp_path)
    assert len(picture.figure.axes) == 2
    assert "✓ 7" in written(picture)
    assert "3" in written(picture)
    drawn = picture.figure.axes[0].lines[1]
    assert np.array_equal(drawn.get_data(), (times, times / 4))
    assert picture.caption == "The word is said once; the highest probability is 0.50."
