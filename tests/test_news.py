"""After an update, who worked here before is told what is new."""

import json

from handmade import __version__, news


def test_news_are_of_this_version_and_told_until_something_is_written_with_it(tmp_path):
    assert next(iter(news.NEWS)) == __version__
    assert news.news_here(tmp_path) == []
    config = tmp_path / "runs" / "lenet5-1" / "config.json"
    config.parent.mkdir(parents=True)
    config.write_text(json.dumps({"handmade": "0.1.0"}))
    assert news.news_here(tmp_path)[0].startswith("New since handmade 0.1.0")
    assert any("handmade try" in line for line in news.news_here(tmp_path))
    (tmp_path / "progress.json").write_text(json.dumps({"handmade": __version__}))
    assert news.news_here(tmp_path, tmp_path) == []
    config.write_text("[]")
    assert news.news_here(tmp_path) == []
    config.write_text(json.dumps({"handmade": "unknown"}))
    assert news.news_here(tmp_path) == []
