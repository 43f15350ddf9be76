//! Pools of processes.

use procession_process::{Pool, PoolError};
use procession_testkit::{guard_after, wait_until};
use std::sync::mpsc;
use std::time::Duration;

fn square(n: u64) -> u64 {
    n * n
}

fn pool(workers: usize) -> Pool {
    Pool::new(workers).unwrap()
}

fn warm_up() {
    drop(pool(1));
}

#[test]
fn a_task_is_run_in_another_process() {
    let _guard = guard_after(warm_up);
    let pool = pool(2);
    let pid = pool.apply(|_: ()| std::process::id(), ()).unwrap();
    assert_ne!(pid, std::process::id());
    assert!(pool.pids().contains(&(pid as i32)));
}

#[test]
fn map_keeps_the_order_for_every_chunk_size() {
    let _guard = guard_after(warm_up);
    let pool = pool(2);
    let expected: Vec<u64> = (0..5000).map(square).collect();
    assert_eq!(pool.map(square, 0..5000).unwrap(), expected);
    for chunksize in [1, 7, 5000, 9999] {
        let result = pool.with().chunksize(chunksize).map(square, 0..5000).unwrap();
        assert_eq!(result, expected, "{chunksize}");
    }
    assert_eq!(pool.map_async(square, 0..5000).unwrap().get().unwrap(), expected);
    assert_eq!(pool.map(square, std::iter::empty()).unwrap(), []);
}

#[test]
fn starmap_calls_with_the_parts_of_a_tuple() {
    let _guard = guard_after(warm_up);
    let pairs = (0..100).map(|n| (n, n + 1));
    let products = pool(2).starmap(|a: u64, b: u64| a * b, pairs).unwrap();
    assert_eq!(products, (0..100).map(|n| n * (n + 1)).collect::<Vec<u64>>());
}

#[test]
fn imap_takes_arguments_as_results_are_wanted() {
    let _guard = guard_after(warm_up);
    let pool = pool(2);
    let first: Vec<u64> = pool.imap(square, 0..).unwrap().take(100).map(Result::unwrap).collect();
    assert_eq!(first, (0..100).map(square).collect::<Vec<_>>());
    let mut all: Vec<u64> =
        pool.imap_unordered(square, 0..1000).unwrap().map(Result::unwrap).collect();
    all.sort_unstable();
    assert_eq!(all, (0..1000).map(square).collect::<Vec<_>>());
}

#[test]
fn a_panic_fails_its_task_and_no_other() {
    let _guard = guard_after(warm_up);
    let pool = pool(2);
    let bad = pool.apply_async(|_: ()| panic!("on purpose"), ()).unwrap();
    let good = pool.apply_async(square, 3).unwrap();
    let error = bad.get().map(|never: ()| never).unwrap_err();
    assert_eq!(error.panic().unwrap().message(), "on purpose");
    assert!(error.panic().unwrap().location().unwrap().contains("pool.rs"));
    assert_eq!(good.get().unwrap(), 9);
}

#[test]
fn a_worker_that_dies_fails_exactly_its_task() {
    let _guard = guard_after(warm_up);
    let pool = pool(2);
    let task = |n: u64| {
        if n == 50 {
            std::process::exit(7);
        }
        n
    };
    let results: Vec<_> =
        (0..100).map(|n| pool.apply_async(task, n).unwrap()).map(|r| r.get()).collect();
    for (n, result) in results.into_iter().enumerate() {
        match result {
            Ok(value) => assert_eq!(value, n as u64),
            Err(PoolError::WorkerLost(lost)) => {
                assert_eq!((n, lost.exitcode, lost.task), (50, 7, 51));
            }
            Err(error) => panic!("{n}: {error}"),
        }
    }
    wait_until("a new worker has taken the place", || pool.pids().len() == 2);
}

#[test]
fn a_task_whose_worker_dies_is_tried_again_if_asked() {
    let _guard = guard_after(warm_up);
    let pool = Pool::builder().workers(1).retries(2).build().unwrap();
    let attempts = procession_ipc::Queue::<u32>::new().unwrap();
    let task = |attempts: procession_ipc::Queue<u32>| {
        attempts.put(&1).unwrap();
        if attempts.qsize() < 3 {
            std::process::abort();
        }
        attempts.qsize()
    };
    assert_eq!(pool.apply(task, attempts).unwrap(), 3);
}

#[test]
fn a_task_that_runs_too_long_is_ended_alone() {
    let _guard = guard_after(warm_up);
    // Far more than the others take, also where they have to wait for a processor.
    let pool = Pool::builder().workers(2).task_timeout(Duration::from_secs(2)).build().unwrap();
    let stuck = pool
        .apply_async(
            |_: ()| {
                let never = procession_ipc::Queue::<()>::new().unwrap();
                let _ = never.get();
            },
            (),
        )
        .unwrap();
    let others: Vec<_> = (0..200).map(|n| pool.apply_async(square, n).unwrap()).collect();
    assert!(matches!(stuck.get(), Err(PoolError::TaskTimeout(_))));
    for (n, other) in others.into_iter().enumerate() {
        assert_eq!(other.get().unwrap(), square(n as u64));
    }
}

#[test]
fn a_cancelled_task_says_so_and_its_worker_is_free() {
    let _guard = guard_after(warm_up);
    let pool = pool(1);
    let begun = procession_ipc::Queue::<()>::new().unwrap();
    let stuck = pool
        .apply_async(
            |begun: procession_ipc::Queue<()>| {
                begun.put(&()).unwrap();
                let _ = procession_ipc::Queue::<()>::new().unwrap().get();
            },
            begun.clone(),
        )
        .unwrap();
    let waiting = pool.apply_async(square, 4).unwrap();
    let never = pool.apply_async(square, 5).unwrap();
    begun.get().unwrap();
    assert!(never.cancel());
    assert!(stuck.cancel());
    assert!(matches!(stuck.get(), Err(PoolError::Cancelled)));
    assert!(matches!(never.get(), Err(PoolError::Cancelled)));
    assert_eq!(waiting.get().unwrap(), 16);
    assert!(!waiting.cancel());
}

#[test]
fn callbacks_are_called_without_anybody_waiting() {
    let _guard = guard_after(warm_up);
    let pool = pool(1);
    let (sender, receiver) = mpsc::channel();
    let (errors, error) = (sender.clone(), sender.clone());
    pool.apply_async_with(square, 5, move |n| sender.send(Ok(n)).unwrap(), |_| ()).unwrap();
    assert_eq!(receiver.recv().unwrap(), Ok::<u64, String>(25));
    let fail = |_: ()| -> u64 { panic!("no") };
    pool.apply_async_with(fail, (), |_| (), move |e| errors.send(Err(e.to_string())).unwrap())
        .unwrap();
    assert!(receiver.recv().unwrap().unwrap_err().contains("no"));
    drop(error);
}

#[test]
fn a_callback_that_panics_stops_nobody() {
    let _guard = guard_after(warm_up);
    let pool = pool(1);
    let told = pool.apply_async_with(square, 5, |_| panic!("in a callback"), |_| ()).unwrap();
    assert_eq!(told.get().unwrap(), 25);
    let lost = pool.apply(|_: ()| std::process::exit(3), ()).map(|never: ()| never);
    assert!(lost.unwrap_err().is_peer_dead());
    assert_eq!(pool.apply(square, 2).unwrap(), 4);
    pool.close();
    pool.join();
}

#[test]
fn a_progress_function_may_use_the_pool_and_may_panic() {
    let _guard = guard_after(warm_up);
    let pool = std::sync::Arc::new(pool(1));
    let closing = std::sync::Arc::clone(&pool);
    let panics = std::panic::AssertUnwindSafe(|| {
        let progress = |_| panic!("in a progress function");
        pool.with().progress(progress).map(square, 0..10)
    });
    assert!(std::panic::catch_unwind(panics).is_err());
    assert_eq!(pool.apply(square, 3).unwrap(), 9);
    let all = pool.with().chunksize(10).progress(move |_| closing.close()).map(square, 0..10);
    assert_eq!(all.unwrap().len(), 10);
    pool.join();
}

#[test]
fn an_initializer_that_exits_ends_the_pool() {
    let _guard = guard_after(warm_up);
    let exit = |_: ()| std::process::exit(0);
    let pool = Pool::builder().workers(1).initializer(exit, ()).build().unwrap();
    let error = pool.apply(square, 1).unwrap_err();
    assert!(matches!(error, PoolError::Initializer(_)), "{error}");
}

#[test]
fn a_failing_initializer_ends_the_pool_with_its_message() {
    let _guard = guard_after(warm_up);
    let pool =
        Pool::builder().workers(2).initializer(|_: ()| panic!("no licence"), ()).build().unwrap();
    let error = pool.apply(square, 1).unwrap_err();
    assert!(error.to_string().contains("no licence"), "{error}");
    assert!(pool.apply(square, 1).is_err());
}

#[test]
fn an_initializer_that_kills_its_worker_ends_the_pool() {
    let _guard = guard_after(warm_up);
    let pool =
        Pool::builder().workers(1).initializer(|_: ()| std::process::abort(), ()).build().unwrap();
    let error = pool.apply(square, 1).unwrap_err();
    assert!(matches!(error, PoolError::Initializer(_)), "{error}");
}

#[test]
fn workers_are_replaced_after_their_number_of_tasks() {
    let _guard = guard_after(warm_up);
    let pool = Pool::builder().workers(2).maxtasksperchild(3).build().unwrap();
    let pids = pool.with().chunksize(1).map(|_: u32| std::process::id(), 0..30).unwrap();
    let mut counts = std::collections::BTreeMap::<u32, u32>::new();
    for pid in pids {
        *counts.entry(pid).or_default() += 1;
    }
    assert!(counts.values().all(|count| *count <= 3), "{counts:?}");
}

#[test]
fn a_closed_pool_finishes_and_takes_no_more() {
    let _guard = guard_after(warm_up);
    let pool = pool(2);
    let results: Vec<_> = (0..100).map(|n| pool.apply_async(square, n).unwrap()).collect();
    pool.close();
    assert!(matches!(pool.apply_async(square, 1), Err(PoolError::Closed)));
    pool.join();
    assert!(pool.pids().is_empty());
    for (n, result) in results.into_iter().enumerate() {
        assert!(result.ready());
        assert_eq!(result.get().unwrap(), square(n as u64));
    }
}

#[test]
fn a_terminated_pool_says_so_to_who_waits() {
    let _guard = guard_after(warm_up);
    let pool = pool(1);
    let stuck = pool
        .apply_async(|_: ()| drop(procession_ipc::Queue::<()>::new().unwrap().get()), ())
        .unwrap();
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| stuck.get());
        pool.terminate();
        assert!(matches!(waiter.join().unwrap(), Err(PoolError::Terminated)));
    });
    pool.join();
}

#[test]
fn several_threads_wait_for_results_of_one_pool() {
    let _guard = guard_after(warm_up);
    let pool = pool(2);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let pool = &pool;
            scope.spawn(move || {
                for n in 0..500 {
                    let n = thread * 1000 + n;
                    assert_eq!(pool.apply(square, n).unwrap(), square(n));
                }
            });
        }
    });
}

#[test]
fn progress_counts_up_to_all() {
    let _guard = guard_after(warm_up);
    let pool = pool(2);
    let (sender, receiver) = mpsc::channel();
    pool.with().progress(move |done| sender.send(done).unwrap()).map(square, 0..100).unwrap();
    let seen: Vec<usize> = receiver.into_iter().collect();
    assert!(seen.is_sorted());
    assert_eq!(seen.last(), Some(&100));
}

#[test]
fn a_result_that_does_not_fit_its_type_fails_one_call() {
    let _guard = guard_after(warm_up);
    let pool = pool(1);
    assert!(pool.apply_async(square, 1).unwrap().get_timeout(Duration::from_secs(60)).is_ok());
    let large = pool.apply(|n: usize| vec![7_u8; n], 3_000_000).unwrap();
    assert_eq!(large.len(), 3_000_000);
}

#[test]
fn a_worker_that_has_grown_is_replaced() {
    let _guard = guard_after(warm_up);
    let pid = |pool: &Pool| pool.apply(|_: ()| std::process::id(), ()).unwrap();
    let tight = Pool::builder().workers(1).max_memory_per_child(1).build().unwrap();
    assert_ne!(pid(&tight), pid(&tight));
    let wide = Pool::builder().workers(1).max_memory_per_child(1 << 40).build().unwrap();
    assert_eq!(pid(&wide), pid(&wide));
}
