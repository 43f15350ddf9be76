"""`multiprocessing.managers`, which procession leaves as it is."""

import sys

import multiprocessing.managers

sys.modules[__name__] = multiprocessing.managers
