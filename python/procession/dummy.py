"""`multiprocessing.dummy`, which procession leaves as it is."""

import sys

import multiprocessing.dummy

sys.modules[__name__] = multiprocessing.dummy
