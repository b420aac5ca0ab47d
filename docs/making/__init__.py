"""Makes the pages of the site from headers, docstrings, cards and code; `python -m docs.making` builds it."""
