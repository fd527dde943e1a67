"""``python -m basestore``: the command line."""

from basestore.cli.main import main

if __name__ == "__main__":
    main()
