"""`python -m handmade` is the program `handmade`."""

from handmade.cli import main

if __name__ == "__main__":
    main()
