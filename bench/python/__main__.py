"""`cargo xtask bench python`: see speed/__init__.py."""

import sys

from speed.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
