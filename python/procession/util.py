"""`multiprocessing.util`, which procession leaves as it is."""

import sys

import multiprocessing.util

sys.modules[__name__] = multiprocessing.util
