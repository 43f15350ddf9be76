//! Barriers.

use crate::{SHORT, guard};
use procession_ipc::{Barrier, Error};
use procession_sys::Deadline;
use procession_testkit::wait_until;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

#[test]
fn a_barrier_lets_all_through_together_a_thousand_times() {
    let _guard = guard();
    let (barrier, round) = (Barrier::new(4).unwrap(), AtomicUsize::new(0));
    let work = || {
        let mut indices = 0;
        for number in 0..1000 {
            let index = barrier.wait().unwrap();
            indices += index;
            if index == 3 {
                round.fetch_add(1, Ordering::SeqCst);
            }
            barrier.wait().unwrap();
            assert_eq!(round.load(Ordering::SeqCst), number + 1);
        }
        indices
    };
    let sum: usize = thread::scope(|scope| {
        let parties: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
        parties.into_iter().map(|party| party.join().unwrap()).sum()
    });
    assert_eq!(sum, 1000 * (1 + 2 + 3));
    assert_eq!((barrier.n_waiting(), barrier.broken()), (0, false));
}

#[test]
fn a_party_that_gives_up_breaks_the_barrier_until_it_is_reset() {
    let _guard = guard();
    let barrier = Barrier::new(3).unwrap();
    thread::scope(|scope| {
        let other = scope.spawn(|| barrier.wait());
        wait_until("the other waits", || barrier.n_waiting() == 1);
        assert!(barrier.wait_timeout(SHORT).unwrap_err().is_timeout());
        assert!(matches!(other.join().unwrap(), Err(Error::BrokenBarrier)));
    });
    assert!(barrier.broken() && barrier.n_waiting() == 0);
    assert!(matches!(barrier.wait(), Err(Error::BrokenBarrier)));
    barrier.reset();
    assert!(!barrier.broken());
    thread::scope(|scope| {
        let other = scope.spawn(|| barrier.wait());
        wait_until("the other waits", || barrier.n_waiting() == 1);
        barrier.reset();
        assert!(matches!(other.join().unwrap(), Err(Error::BrokenBarrier)));
        let other = scope.spawn(|| barrier.wait());
        wait_until("the other waits", || barrier.n_waiting() == 1);
        barrier.abort();
        assert!(matches!(other.join().unwrap(), Err(Error::BrokenBarrier)));
    });
}

#[test]
fn a_barrier_of_one_or_none_lets_pass() {
    let _guard = guard();
    assert_eq!(Barrier::new(1).unwrap().wait().unwrap(), 0);
    assert_eq!(Barrier::new(0).unwrap().wait().unwrap(), 0);
}

#[test]
fn the_last_at_a_barrier_says_whether_all_go_on() {
    let _guard = guard();
    let barrier = Barrier::new(2).unwrap();
    let there = barrier.clone();
    let arrive = move || there.wait_until_then(Deadline::never(), || false, || false);
    let thread = thread::spawn(arrive.clone());
    let ended = [arrive(), thread.join().unwrap()];
    assert!(ended.iter().all(|ended| matches!(ended, Err(Error::BrokenBarrier))), "{ended:?}");
    barrier.reset();
    let there = barrier.clone();
    let last = move || there.wait_until_then(Deadline::never(), || false, || true).unwrap();
    let thread = thread::spawn(last.clone());
    assert_eq!(last() + thread.join().unwrap(), 1);
}
