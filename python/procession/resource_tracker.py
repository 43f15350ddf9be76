"""`multiprocessing.resource_tracker`, which procession leaves as it is."""

import sys

import multiprocessing.resource_tracker

sys.modules[__name__] = multiprocessing.resource_tracker
