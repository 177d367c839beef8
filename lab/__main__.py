"""`python -m lab`: see `command_line`."""

import sys

from lab.command_line import main

if __name__ == "__main__":
    sys.exit(main())
