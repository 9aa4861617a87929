"""`python -m detector`, the same as the command `detector`."""

from detector.cli.main import entry

if __name__ == "__main__":
    entry()
