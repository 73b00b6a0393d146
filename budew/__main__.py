"""`python -m budew` is the command `budew`."""

from budew.cli import main

main()
