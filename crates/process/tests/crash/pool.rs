//! Deaths of a pool's worker.

use crate::scene::Memory;
use procession_process::{Pool, PoolError};
use procession_testkit::guard_after;

/// Arms a step in the worker that runs this: it dies there, in this task or after it.
fn arms(point: String) -> u32 {
    procession_sys::crash::arm(&point, 1);
    std::process::id()
}

fn adds((a, b): (u64, Vec<u64>)) -> u64 {
    a + b.iter().sum::<u64>()
}

fn warm_up() {
    drop(Pool::new(1).unwrap());
}

/// Which task is lost with the worker: none, the one that armed the step, or the next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Lost {
    None,
    Same,
    Next,
}

#[test]
fn a_worker_killed_at_any_step_fails_exactly_the_task_that_it_had() {
    let _guard = guard_after(warm_up);
    let memory = Memory::now();
    for (point, lost) in [
        ("pool.worker.after_claim", Lost::Next),
        ("pool.worker.before_result", Lost::Same),
        ("pool.worker.after_result", Lost::None),
        ("gate.handover.before_commit", Lost::None),
        ("gate.handover.after_commit", Lost::Next),
        ("gate.handover.before_unlock", Lost::Next),
        ("queue.put.after_commit", Lost::None),
        ("queue.put.before_commit", Lost::Same),
    ] {
        die_at(point, lost);
        memory.is_back(point);
    }
}

fn die_at(point: &str, lost: Lost) {
    // One worker for as long as the step is armed, so that it is known who takes the next task.
    let pool = Pool::new(1).unwrap();
    let first = pool.apply_async(arms, point.to_owned()).unwrap();
    let second = pool.apply_async(adds, (0, vec![1; 10])).unwrap();
    let others: Vec<_> =
        (1..50).map(|n| pool.apply_async(adds, (n, vec![1; 10_000])).unwrap()).collect();
    check(point, first.get().map(|_| ()), lost == Lost::Same);
    check(point, second.get().map(|sum| assert_eq!(sum, 10)), lost == Lost::Next);
    for (n, other) in (1..).zip(others) {
        assert_eq!(other.get().unwrap(), n + 10_000, "{point}");
    }
    assert_eq!(pool.pids().len(), 1, "{point}");
}

fn check(point: &str, result: Result<(), PoolError>, is_lost: bool) {
    match result {
        Ok(()) => assert!(!is_lost, "{point}: the task was not lost"),
        Err(PoolError::WorkerLost(lost)) => {
            assert!(is_lost, "{point}: {lost}");
            assert_eq!(lost.exitcode, -9, "{point}");
        }
        Err(error) => panic!("{point}: {error}"),
    }
}
