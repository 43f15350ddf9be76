//! Locks and shared data between the threads of one process. What a death does is in `deaths.rs`.

use procession_ipc::message::Parcel;
use procession_ipc::sync::{Holder, MutexError};
use procession_ipc::{
    Array, Barrier, BoundedSemaphore, Buffer, Condition, Error, Event, Lock, Mutex, PipeEnd, Queue,
    RLock, Semaphore, Shareable, Value,
};
use procession_shm::family;
use procession_sys::Deadline;
use procession_testkit::wait_until;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const SHORT: Duration = Duration::from_millis(20);

#[test]
fn every_object_travels_and_is_the_same_at_the_other_end() {
    #[derive(Serialize, Deserialize)]
    struct All {
        lock: Lock,
        rlock: RLock,
        semaphore: Semaphore,
        bounded: BoundedSemaphore,
        condition: Condition,
        over_lock: Condition,
        event: Event,
        barrier: Barrier,
        mutex: Mutex<[u16; 3]>,
        value: Value<f64>,
        array: Array<u32>,
        buffer: Buffer,
    }
    let lock = Lock::new().unwrap();
    let all = All {
        rlock: RLock::new().unwrap(),
        semaphore: Semaphore::new(4).unwrap(),
        bounded: BoundedSemaphore::new(5).unwrap(),
        condition: Condition::new().unwrap(),
        over_lock: Condition::with_lock(lock.clone()).unwrap(),
        event: Event::new().unwrap(),
        barrier: Barrier::new(6).unwrap(),
        mutex: Mutex::new([1, 2, 3]).unwrap(),
        value: Value::new(0.5).unwrap(),
        array: Array::with_shape(&[2, 2]).unwrap(),
        buffer: Buffer::from_bytes(b"bytes").unwrap(),
        lock,
    };
    let queue = Queue::new().unwrap();
    queue.put(&all).unwrap();
    let other = queue.get().unwrap();
    all.lock.acquire();
    assert!(other.lock.is_locked() && other.over_lock.try_lock().is_none());
    all.lock.release().unwrap();
    let _held = all.rlock.lock();
    assert!(other.rlock.is_mine());
    all.semaphore.acquire();
    assert_eq!((other.semaphore.value(), other.bounded.value()), (3, 5));
    let _held = all.condition.lock();
    assert!(other.condition.notify_all().is_ok());
    all.event.set();
    assert!(other.event.is_set());
    assert_eq!(other.barrier.parties(), 6);
    assert_eq!(*other.mutex.lock().unwrap(), [1, 2, 3]);
    all.value.store(1.5);
    assert_eq!(other.value.load(), 1.5);
    all.array.set(3, 9).unwrap();
    assert_eq!((other.array.shape(), other.array.to_vec()), (&[2, 2][..], vec![0, 0, 0, 9]));
    assert_eq!(&other.buffer[..], b"bytes");
}

#[test]
fn every_object_is_the_same_when_it_is_attached_by_its_handle() {
    fn again<T: Shareable>(object: &T) -> T {
        let same = T::attach(object.held().family(), object.handle()).unwrap();
        assert_eq!(same.handle(), object.handle());
        same
    }
    let (lock, rlock) = (Lock::new().unwrap(), RLock::new().unwrap());
    lock.acquire();
    assert!(again(&lock).is_locked());
    let _held = rlock.lock();
    assert!(again(&rlock).is_mine());
    assert_eq!(again(&Semaphore::new(4).unwrap()).value(), 4);
    assert_eq!(again(&BoundedSemaphore::new(5).unwrap()).value(), 5);
    assert!(!again(&Event::new().unwrap()).is_set());
    assert_eq!(again(&Barrier::new(6).unwrap()).parties(), 6);
    assert_eq!(*again(&Mutex::new(7_u16).unwrap()).lock().unwrap(), 7);
    assert_eq!(again(&Value::new(0.5).unwrap()).get(), 0.5);
    assert_eq!(again(&Array::new(&[1, 2]).unwrap()).to_vec(), [1, 2]);
    assert_eq!(&again(&Buffer::from_bytes(b"bytes").unwrap())[..], b"bytes");
    let queue = Queue::new().unwrap();
    queue.put(&8_u8).unwrap();
    assert_eq!(again(&queue).get().unwrap(), 8);
    drop(again(&PipeEnd::new().unwrap()));
    let condition = Condition::with_rlock(rlock.clone()).unwrap();
    let same = Condition::attach_with_rlock(condition.handle(), rlock.clone()).unwrap();
    assert!(same.notify_all().is_ok());
    let condition = Condition::with_lock(lock.clone()).unwrap();
    let same = Condition::attach_with_lock(condition.handle(), lock.clone()).unwrap();
    assert!(same.notify_all().is_ok());
    let family = lock.held().family();
    assert!(Event::attach(family, lock.handle()).is_err(), "it is a lock");
    assert!(BoundedSemaphore::attach(family, lock.handle()).is_err());
}

#[test]
fn an_object_outlives_its_maker_while_a_message_holds_it() {
    let queue = Queue::new().unwrap();
    queue.put(&Value::new(7_u64).unwrap()).unwrap();
    assert_eq!(queue.get().unwrap().get(), 7);
}

#[test]
fn an_object_does_not_travel_outside_of_a_message() {
    let error = postcard::to_stdvec(&Lock::new().unwrap()).unwrap_err();
    assert_eq!(error, postcard::Error::SerdeSerCustom);
    assert!(postcard::from_bytes::<Lock>(&[1, 1]).is_err());
}

#[test]
fn an_object_of_another_type_is_refused() {
    let parcel = Parcel::new(family().unwrap(), &Value::new(7_u64).unwrap()).unwrap();
    assert!(matches!(parcel.decode::<Value<i64>>(), Err(Error::Decode { .. })));
    assert!(matches!(parcel.decode::<Mutex<u64>>(), Err(Error::Decode { .. })));
    assert!(matches!(parcel.decode::<Array<u64>>(), Err(Error::Decode { .. })));
    assert_eq!(parcel.decode::<Value<u64>>().unwrap().get(), 7);
    let parcel = Parcel::new(family().unwrap(), &Semaphore::new(1).unwrap()).unwrap();
    assert!(parcel.decode::<BoundedSemaphore>().is_err());
}

#[test]
fn a_lock_lets_one_in_at_a_time_and_loses_no_wake() {
    let (lock, number) = (Lock::new().unwrap(), Value::new(0_u32).unwrap());
    let work = || {
        for _ in 0..20_000 {
            let _guard = lock.lock();
            number.store(number.load() + 1);
        }
    };
    thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(work))));
    assert_eq!(number.load(), 80_000);
}

#[test]
fn a_lock_may_be_released_by_anybody_but_only_once() {
    let lock = Lock::new().unwrap();
    let guard = lock.lock();
    assert_eq!(lock.holder(), Some(Holder::Process(std::process::id())));
    thread::scope(|scope| scope.spawn(|| lock.release().unwrap()).join().unwrap());
    assert!(matches!(lock.release(), Err(Error::ReleasedTooOften)));
    drop(guard);
    assert!(lock.try_lock().is_some());
}

#[test]
fn a_wait_for_a_lock_ends_at_its_time_and_not_before() {
    let lock = Lock::new().unwrap();
    let _guard = lock.lock();
    let start = Instant::now();
    assert!(lock.lock_timeout(SHORT).unwrap_err().is_timeout());
    assert!(start.elapsed() >= SHORT);
    assert!(!lock.acquire_timeout(Duration::ZERO));
}

#[test]
fn a_recursive_lock_is_its_threads() {
    let lock = RLock::new().unwrap();
    let outer = lock.lock();
    lock.acquire();
    assert_eq!(lock.depth(), 2);
    thread::scope(|scope| {
        let other = scope.spawn(|| {
            assert!(lock.try_lock().is_none() && !lock.is_mine() && lock.depth() == 0);
            assert!(matches!(lock.release(), Err(Error::NotOwner { .. })));
            assert!(lock.lock_timeout(SHORT).unwrap_err().is_timeout());
        });
        other.join().unwrap();
    });
    lock.release().unwrap();
    drop(outer);
    thread::scope(|scope| assert!(scope.spawn(|| lock.try_acquire()).join().unwrap()));
}

#[test]
fn a_semaphore_lets_as_many_in_as_it_says() {
    let semaphore = Semaphore::new(2).unwrap();
    let (inside, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let work = || {
        for _ in 0..5_000 {
            let _permit = semaphore.permit();
            most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            inside.fetch_sub(1, Ordering::SeqCst);
        }
    };
    thread::scope(|scope| (0..5).for_each(|_| drop(scope.spawn(work))));
    assert!((1..=2).contains(&most.load(Ordering::SeqCst)));
    assert_eq!(semaphore.value(), 2);
}

#[test]
fn many_released_at_once_wake_as_many() {
    let (semaphore, through) = (Semaphore::new(0).unwrap(), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                semaphore.acquire();
                through.fetch_add(1, Ordering::SeqCst);
            });
        }
        semaphore.release_many(4).unwrap();
        wait_until("four are through", || through.load(Ordering::SeqCst) == 4);
        semaphore.release().unwrap();
        semaphore.release().unwrap();
    });
    assert!(!semaphore.acquire_timeout(SHORT));
}

#[test]
fn a_bounded_semaphore_is_released_no_more_often_than_taken() {
    let semaphore = BoundedSemaphore::new(2).unwrap();
    assert!(matches!(semaphore.release(), Err(Error::ReleasedTooOften)));
    semaphore.acquire();
    assert!(semaphore.release_many(2).is_err());
    assert_eq!(semaphore.value(), 1);
    semaphore.release().unwrap();
    let unbounded = Semaphore::new(i32::MAX as u32).unwrap();
    assert!(unbounded.release().is_err());
}

#[test]
fn an_event_wakes_all_and_stays_set_until_cleared() {
    let event = Event::new().unwrap();
    assert!(!event.wait_timeout(SHORT));
    thread::scope(|scope| {
        (0..4).for_each(|_| drop(scope.spawn(|| event.wait())));
        event.set();
    });
    event.set();
    assert!(event.wait_timeout(Duration::ZERO));
    event.clear();
    assert!(!event.is_set() && !event.wait_timeout(Duration::ZERO));
}

#[test]
fn an_interrupt_ends_a_wait_only_if_asked_after_a_signal() {
    let event = Event::new().unwrap();
    let deadline = procession_sys::Deadline::after(SHORT);
    assert!(event.wait_until(deadline, || panic!("no signal came")).unwrap_err().is_timeout());
}

#[test]
fn notices_go_to_as_many_as_asked_for_the_longest_waiting_first() {
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
fn a_barrier_lets_all_through_together_a_thousand_times() {
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
    assert_eq!(Barrier::new(1).unwrap().wait().unwrap(), 0);
    assert_eq!(Barrier::new(0).unwrap().wait().unwrap(), 0);
}

#[test]
fn a_mutex_guards_its_data() {
    let mutex = Mutex::new([0_u64; 5]).unwrap();
    let work = || {
        for _ in 0..10_000 {
            mutex.lock().unwrap().iter_mut().for_each(|number| *number += 1);
        }
    };
    thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(work))));
    let guard = mutex.lock().unwrap();
    assert_eq!(*guard, [40_000; 5]);
    assert_eq!(mutex.holder(), Some(Holder::Process(std::process::id())));
    assert!(matches!(mutex.try_lock(), Err(MutexError::WouldBlock)));
    assert!(matches!(mutex.lock_timeout(SHORT), Err(MutexError::TimedOut)));
}

#[test]
fn values_of_every_size_keep_what_they_are_given() {
    fn check<T: procession_ipc::Plain + PartialEq + std::fmt::Debug>(first: T, second: T) {
        let value = Value::new(first).unwrap();
        assert_eq!(value.get(), first);
        value.set(second);
        assert_eq!(value.get(), second);
        *value.lock() = first;
        assert_eq!(*value.lock(), first);
        let _ = value.update(|_| second);
        assert_eq!(value.get(), second);
    }
    check(1_u8, 255);
    check(-1_i16, 2);
    check([1_u8; 3], [2; 3]);
    check(-5_i32, i32::MIN);
    check(0.25_f32, -0.5);
    check(f64::MAX, f64::MIN_POSITIVE);
    check(i64::MIN, -1);
    check([1_u8; 9], [2; 9]);
    check([1_u64; 100], [2; 100]);
    check(u128::MAX, 1);
}

#[test]
fn a_value_is_counted_up_under_its_lock_and_without() {
    let (locked, atomic) = (Value::new([0_u32; 4]).unwrap(), Value::new(0_i64).unwrap());
    let work = || {
        for _ in 0..10_000 {
            locked.lock().iter_mut().for_each(|number| *number += 1);
            atomic.fetch_sub(3);
        }
    };
    thread::scope(|scope| (0..3).for_each(|_| drop(scope.spawn(work))));
    assert_eq!((locked.get(), atomic.get()), ([30_000; 4], -90_000));
    assert_eq!(atomic.swap(5), -90_000);
    assert_eq!(atomic.compare_exchange(5, 6), Ok(5));
    assert_eq!(atomic.compare_exchange(5, 7), Err(6));
    let small = Value::new(-1_i32).unwrap();
    assert_eq!((small.fetch_add(2), small.load()), (-1, 1));
    let byte = Value::new(3_u8).unwrap();
    assert_eq!((byte.swap(4), byte.compare_exchange(4, 9), byte.load()), (3, Ok(4), 9));
}

#[test]
fn a_value_whose_guard_changed_nothing_is_not_written() {
    let value = Value::new(1_u32).unwrap();
    let guard = value.lock();
    value.fetch_add(1);
    drop(guard);
    assert_eq!(value.load(), 2);
    assert!(value.lock_timeout(SHORT).is_ok() && value.try_lock().is_some());
}

#[test]
fn an_array_says_what_it_does_not_have() {
    let array = Array::new(&[1_u16, 2, 3]).unwrap();
    assert_eq!((array.get(2), array.get(3)), (Some(3), None));
    let error = array.set(3, 0).unwrap_err();
    assert_eq!(error.to_string(), "the array has 3 elements, so 1 from 3 on are out of bounds");
    assert!(array.write_from(2, &[0, 0]).is_err());
    assert!(array.read_into(usize::MAX, &mut [0, 0]).is_err());
    assert!(Array::<u8>::with_shape(&[]).is_err());
    assert!(Array::<u64>::with_shape(&[usize::MAX]).is_err());
    let full = Array::<u8>::zeroed(1 << 50).unwrap_err();
    assert!(full.is_out_of_memory(), "{full}");
    assert!(Array::<u8>::zeroed(0).unwrap().to_vec().is_empty());
}

#[test]
fn an_array_is_written_in_parts_and_read_in_rows() {
    let array = Array::<i32>::with_shape(&[3, 2, 2]).unwrap();
    array.write_from(4, &[1, 2, 3, 4]).unwrap();
    let mut middle = [0; 2];
    array.read_into(5, &mut middle).unwrap();
    assert_eq!(middle, [2, 3]);
    let mut guard = array.lock();
    assert_eq!(guard.row(1), [1, 2, 3, 4]);
    guard.row_mut(2).fill(7);
    assert!(array.try_lock().is_none() && !guard.owner_died());
    drop(guard);
    assert_eq!(array.to_vec(), [0, 0, 0, 0, 1, 2, 3, 4, 7, 7, 7, 7]);
}

#[cfg(feature = "ndarray")]
#[test]
fn an_array_is_a_view_of_its_shape() {
    let array = Array::<f64>::with_shape(&[2, 3]).unwrap();
    array.lock().view_mut()[[1, 2]] = 2.5;
    let guard = array.lock();
    assert_eq!(guard.view().shape(), [2, 3]);
    assert_eq!(guard.view()[[1, 2]], 2.5);
    assert_eq!(guard.row(1)[2], 2.5);
}

#[test]
fn three_hundred_locks_cost_no_descriptor() {
    let count = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let _first = Lock::new().unwrap();
    let before = count();
    let locks: Vec<_> = (0..300).map(|_| Lock::new().unwrap()).collect();
    assert!(count() <= before + 8, "other tests may open some, but not 300");
    assert!(locks.iter().all(|lock| lock.try_lock().is_some()));
}

#[test]
fn who_waits_released_at_a_condition_takes_the_lock_by_himself() {
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

#[test]
fn the_last_at_a_barrier_says_whether_all_go_on() {
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
