"""Reads pickles as hex, a line each; answers with what it finds, and its own pickles of that."""

import pickle
import sys

from golden import find

for line in sys.stdin:
    value = pickle.loads(bytes.fromhex(line))
    print(find(value), *(pickle.dumps(value, protocol).hex() for protocol in range(6)), flush=True)
