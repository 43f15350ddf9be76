//! Conditions, over each kind of lock.

use crate::{SHORT, guard};
use procession_ipc::{Array, Condition, Error, Mutex, RLock, Value};
use procession_sys::Deadline;
use procession_testkit::wait_until;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

#[test]
fn notices_go_to_as_many_as_asked_for_the_longest_waiting_first() {
    let _guard = guard();
    let condition = Condition::new().unwrap();
    let (entered, woken) = (Array::<u32>::zeroed(6).unwrap(), Array::<u32>::zeroed(6).unwrap());
    let woken_now = || woken.to_vec().iter().filter(|flag| **flag != 0).count();
    thread::scope(|scope| {
        for number in 0..6 {
            let (condition, entered, woken) = (&condition, &entered, &woken);
            scope.spawn(move || {
                let guard = condition.lock();
                entered.set(number, 1).unwrap();
                guard.wait().unwrap();
                woken.set(number, 1).unwrap();
            });
            wait_until("it waits", || condition.n_waiting() == number + 1);
        }
        condition.lock().notify(2).unwrap();
        wait_until("two are awake", || woken_now() == 2);
        condition.lock().notify_one().unwrap();
        wait_until("three are awake", || woken_now() == 3);
        assert_eq!(woken.to_vec(), [1, 1, 1, 0, 0, 0]);
        assert_eq!(condition.n_waiting(), 3);
        condition.lock().notify_all().unwrap();
    });
    assert_eq!(condition.n_waiting(), 0);
}

#[test]
fn who_notifies_and_waits_does_not_take_its_own_notice() {
    let _guard = guard();
    let (condition, turn) = (Condition::new().unwrap(), Value::new(0_u32).unwrap());
    let play = |mine: u32| {
        for _ in 0..500 {
            let guard = condition.lock();
            guard.wait_for(|| turn.load() == mine).unwrap();
            turn.store(1 - mine);
            guard.notify_one().unwrap();
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| play(0));
        scope.spawn(|| play(1));
    });
}

#[test]
fn waiting_at_a_condition_gives_all_of_a_recursive_lock_back() {
    let _guard = guard();
    let lock = RLock::new().unwrap();
    let condition = Condition::with_rlock(lock.clone()).unwrap();
    assert!(matches!(condition.wait(), Err(Error::NotOwner { .. })));
    assert!(matches!(condition.notify(1), Err(Error::NotOwner { .. })));
    let _outer = lock.lock();
    let guard = condition.lock();
    assert_eq!(lock.depth(), 2);
    thread::scope(|scope| {
        let other = scope.spawn(|| condition.lock().notify_all().unwrap());
        guard.wait().unwrap();
        other.join().unwrap();
    });
    assert_eq!(lock.depth(), 2);
    assert!(!guard.wait_timeout(SHORT).unwrap());
    assert!(!guard.wait_for_timeout(SHORT, || false).unwrap());
    assert!(guard.wait_for_timeout(SHORT, || true).unwrap());
}

#[test]
fn more_waiters_than_places_are_all_notified() {
    let _guard = guard();
    let (condition, go) = (Condition::new().unwrap(), Value::new(0_u32).unwrap());
    let inside = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..150 {
            scope.spawn(|| {
                let guard = condition.lock();
                inside.fetch_add(1, Ordering::SeqCst);
                guard.wait_for(|| go.load() == 1).unwrap();
            });
        }
        wait_until("all are inside", || inside.load(Ordering::SeqCst) == 150);
        let guard = condition.lock();
        go.store(1);
        guard.notify_all().unwrap();
    });
}

#[test]
fn a_condition_works_with_a_mutex() {
    let _guard = guard();
    let (condition, items) = (Condition::new().unwrap(), Mutex::new(0_u32).unwrap());
    let got: u32 = thread::scope(|scope| {
        let takers: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..1000 {
                        let mut guard = items.lock().unwrap();
                        while *guard == 0 {
                            guard = guard.wait(&condition).unwrap();
                        }
                        *guard -= 1;
                    }
                    1000
                })
            })
            .collect();
        for _ in 0..3000 {
            let mut guard = items.lock().unwrap();
            *guard += 1;
            guard.notify(&condition, 1);
        }
        takers.into_iter().map(|taker| taker.join().unwrap()).sum()
    });
    assert_eq!((got, *items.lock().unwrap()), (3000, 0));
    let (guard, notified) = items.lock().unwrap().wait_timeout(&condition, SHORT).unwrap();
    assert!(!notified && *guard == 0);
}

#[test]
fn who_waits_released_at_a_condition_takes_the_lock_by_himself() {
    let _guard = guard();
    let lock = RLock::new().unwrap();
    let condition = Condition::with_rlock(lock.clone()).unwrap();
    let refused = condition.wait_released(Deadline::now(), || false);
    assert!(matches!(refused, Err(Error::NotOwner { .. })));
    lock.acquire();
    lock.acquire();
    let (depth, ended) = condition.wait_released(Deadline::now(), || false).unwrap();
    assert_eq!(depth, 2);
    assert!(ended.unwrap_err().is_timeout());
    assert!(!lock.is_locked());
}
