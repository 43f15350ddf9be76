from multiprocessing.popen_spawn_posix import *
from multiprocessing.popen_spawn_posix import __all__ as __all__
