"""`python -m limner` is the command `limner`."""

from limner.cli.main import program

if __name__ == "__main__":
    program()
