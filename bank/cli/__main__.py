"""`python -m bank.cli` is `creditbank`."""

from bank.cli import main

main()
