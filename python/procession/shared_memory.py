"""`multiprocessing.shared_memory`, which procession leaves as it is."""

import sys

import multiprocessing.shared_memory

sys.modules[__name__] = multiprocessing.shared_memory
