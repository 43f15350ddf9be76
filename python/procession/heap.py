"""`multiprocessing.heap`, which procession leaves as it is."""

import sys

import multiprocessing.heap

sys.modules[__name__] = multiprocessing.heap
