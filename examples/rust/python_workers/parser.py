"""What the Python workers of `python_workers.rs` do: read Python with Python's own parser."""

import ast
import time


def work(number, jobs, reports, lines, busy, lock):
    """Parses the files whose paths come from `jobs`, until None does; how many those were.

    jobs, reports   queues: paths come, and for each a dict goes, a `Report` over there
    lines           a value: how many lines all workers have read
    busy            an array: how many seconds each worker was parsing
    lock            who has it may print
    """
    count = 0
    while (path := jobs.get()) is not None:
        begin = time.perf_counter()
        try:
            with open(path, encoding="utf-8") as file:
                text = file.read()
            nodes = list(ast.walk(ast.parse(text)))
        except (SyntaxError, UnicodeDecodeError) as error:
            with lock:
                print(f"worker {number} passes over {path}: {error}", flush=True)
            continue
        functions = sum(isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) for node in nodes)
        classes = sum(isinstance(node, ast.ClassDef) for node in nodes)
        reports.put({"path": path, "functions": functions, "classes": classes})
        with lines.get_lock():
            lines.value += text.count("\n")
        busy[number] += time.perf_counter() - begin
        count += 1
    return count
