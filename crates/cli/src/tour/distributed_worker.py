# The other machine, in stock Python: the tutorial's worker, with less patience.
import queue, sys
from multiprocessing.managers import BaseManager

class QueueManager(BaseManager):
    pass

QueueManager.register('get_task_queue')
QueueManager.register('get_result_queue')

host, port = sys.argv[1:]
manager = QueueManager(address=(host, int(port)), authkey=b'abc')
manager.connect()
task = manager.get_task_queue()
result = manager.get_result_queue()
while True:
    try:
        n = task.get(timeout=0.5)
    except queue.Empty:
        break
    result.put('%d * %d = %d' % (n, n, n * n))
# In one piece, also where an environment turns Python's buffering off: two workers print this.
print('worker exit\n', end='')
