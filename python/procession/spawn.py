"""`multiprocessing.spawn`, which procession leaves as it is."""

import sys

import multiprocessing.spawn

sys.modules[__name__] = multiprocessing.spawn
