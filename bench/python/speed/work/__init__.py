"""What is measured. A function is given the side and how often to do it, and answers with a `Sample`.

The other processes are started, and have done some of the work, before the clock runs. What tells one
process of another meanwhile is a pipe of the kernel's, for all sides.
"""
