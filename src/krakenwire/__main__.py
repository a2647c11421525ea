"""`python -m krakenwire` is the command `krakenwire`."""

import sys

from krakenwire.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
