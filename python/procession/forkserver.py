"""`multiprocessing.forkserver`, which procession leaves as it is."""

import sys

import multiprocessing.forkserver

sys.modules[__name__] = multiprocessing.forkserver
