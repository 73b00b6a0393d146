"""`python -m budew` is the command `budew`. Ctrl-C is one line already while it imports."""

import sys


def main() -> None:
    """Run the command line."""
    try:
        from budew.cli import run_cli

        run_cli()
    except KeyboardInterrupt:
        print("budew: stopped", file=sys.stderr)
        sys.exit(130)
    finally:  # CPython ends `python -m` by the signal if a Ctrl-C was in exec(text), unless another follows
        exec("")  # noqa: S102


if __name__ == "__main__":
    main()
