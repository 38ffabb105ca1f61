"""``python -m cdn`` is the ``cdn`` command."""

from cdn.cli import main

if __name__ == "__main__":
    main()
