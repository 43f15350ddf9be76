//! What is left when a process is killed at a lock or with items in hand, and what a fork inherits.
//!
//! A process with threads cannot be forked, so there is no harness here: each scenario is this program
//! again, with one thread, which forks its children and kills them. Nobody tells the family of a death;
//! those who wait have to notice it.

use procession_ipc::sync::{Holder, InnerLock};
use procession_ipc::{
    Array, Barrier, Condition, Error, Event, JoinableQueue, Lock, Mutex, Queue, RLock, Semaphore,
    Value,
};
use procession_shm::MemberId;
use procession_sys::fork::{Fork, fork};
use procession_sys::pidfd::Pidfd;
use procession_sys::signal_name::Signal;
use procession_sys::{Deadline, leave};
use procession_testkit::wait_until;
use std::process::Command;
use std::time::Duration;

const SCENARIO: &str = "PROCESSION_SCENARIO";
const SCENARIOS: &[(&str, fn())] = &[
    ("a_mutex_goes_from_the_dead_to_the_next_who_is_told", mutex_goes_on),
    ("news_of_a_death_stays_until_somebody_recovers", news_stays),
    ("a_lock_whose_holder_was_killed_stays_locked", lock_stays_locked),
    ("a_recursive_lock_whose_holder_was_killed_stays_locked", rlock_stays_locked),
    ("a_lock_that_recovers_goes_from_the_dead_to_the_next_who_is_told", locks_recover),
    ("the_lock_inside_an_array_goes_from_the_dead_to_the_next", inner_lock_goes_on),
    ("a_value_is_never_half_written", value_is_whole),
    ("an_array_says_that_its_owner_died", array_tells),
    ("a_party_killed_at_a_barrier_breaks_it", barrier_breaks),
    ("a_notice_for_a_dead_waiter_goes_to_a_living_one", notice_goes_on),
    ("a_semaphore_wakes_another_if_a_sleeper_was_killed", semaphore_goes_on),
    ("setting_an_event_waits_for_no_dead_waiter", event_sets),
    ("a_forked_childs_copy_of_a_guard_gives_nothing_back", fork_keeps_guards),
    ("objects_in_a_queue_are_the_same_in_a_child", objects_travel),
    ("a_join_tells_how_many_items_died_and_the_next_waits_for_the_rest", join_tells),
    ("a_getter_killed_while_it_waits_takes_nothing", waiting_getter_takes_nothing),
    ("an_item_that_another_declared_done_is_not_missed", done_by_another),
    ("an_item_of_a_getter_that_left_is_missed", leaver_is_missed),
    ("all_who_wait_for_a_queue_are_told_what_died", joiners_are_told),
    ("what_a_parent_has_in_hand_is_not_its_childs", hand_stays_with_parent),
    ("a_seat_that_is_taken_again_begins_with_an_empty_hand", seat_begins_anew),
];

fn main() {
    if let Ok(name) = std::env::var(SCENARIO) {
        let (_, run) = SCENARIOS.iter().find(|(known, _)| *known == name).expect("a scenario");
        return run();
    }
    // As the harness does: a word on the command line chooses among the names.
    let word = std::env::args().skip(1).find(|word| !word.starts_with('-')).unwrap_or_default();
    for (name, _) in SCENARIOS.iter().filter(|(name, _)| name.contains(&word)) {
        let _guard = procession_testkit::guard();
        let mut again = Command::new(std::env::current_exe().expect("this program"));
        let status = again.env(SCENARIO, name).status().expect("cannot start this program again");
        assert!(status.success(), "{name}: {status}");
        println!("test {name} ... ok");
    }
}

/// A forked child.
struct Child(Pidfd);

impl Child {
    /// Runs `work` in a child, which exits with what it returns.
    fn run(work: impl FnOnce() -> i32) -> Self {
        match fork().expect("one thread") {
            Fork::Child => leave::leave(work()),
            Fork::Parent(pid) => Self(Pidfd::open(pid).expect("a child")),
        }
    }

    /// Runs `work` in a child, which then waits to be killed; returns when it waits.
    fn stuck_after<R>(work: impl FnOnce() -> R) -> Self {
        let done = Event::new().unwrap();
        let child = Self::run(|| {
            let _kept = work();
            done.set();
            Event::new().unwrap().wait();
            0
        });
        done.wait();
        child
    }

    fn kill(self) {
        self.0.send_signal(Signal::KILL).unwrap();
        self.0.reap(Deadline::never()).unwrap();
    }

    fn code(self) -> Option<u8> {
        self.0.reap(Deadline::never()).unwrap().expect("a status").code()
    }
}

fn mutex_goes_on() {
    let mutex = Mutex::new([0_u32; 2]).unwrap();
    let child = Child::stuck_after(|| {
        let mut guard = mutex.lock().unwrap();
        guard[0] = 1;
        guard
    });
    let waiter = Child::run(|| {
        let Err(died) = mutex.lock() else { return 1 };
        let mut guard = died.recover();
        assert_eq!(*guard, [1, 0]);
        guard[1] = 1;
        0
    });
    child.kill();
    assert_eq!(waiter.code(), Some(0));
    assert_eq!(*mutex.lock().unwrap(), [1, 1]);
}

fn news_stays() {
    let mutex = Mutex::new(0_u8).unwrap();
    Child::stuck_after(|| mutex.lock().unwrap()).kill();
    assert!(matches!(Error::from(mutex.lock().unwrap_err()), Error::OwnerDied));
    drop(mutex.lock().unwrap_err().into_inner());
    let first = mutex.lock_timeout(Duration::from_secs(60)).unwrap_err();
    assert!(Error::from(first).is_peer_dead());
    drop(mutex.lock().unwrap_err().recover());
    assert!(mutex.try_lock().is_ok());
}

fn lock_stays_locked() {
    let lock = Lock::new().unwrap();
    Child::stuck_after(|| lock.lock()).kill();
    assert!(!lock.acquire_timeout(Duration::from_millis(1200)), "more than a look for deaths");
    assert_eq!(lock.holder(), Some(Holder::Gone));
    lock.release().unwrap();
    assert!(lock.try_acquire());
}

fn rlock_stays_locked() {
    let lock = RLock::new().unwrap();
    Child::stuck_after(|| lock.lock()).kill();
    assert!(!lock.acquire_timeout(Duration::from_millis(1200)));
    assert_eq!(lock.holder(), Some(Holder::Gone));
    assert!(matches!(lock.release(), Err(Error::NotOwner { .. })));
}

fn locks_recover() {
    let lock = Lock::recovering().unwrap();
    Child::stuck_after(|| lock.lock()).kill();
    let guard = lock.lock();
    assert!(lock.owner_died());
    drop(guard);
    let guard = lock.lock();
    assert!(!lock.owner_died(), "it is told once");
    drop(guard);
    let lock = RLock::recovering().unwrap();
    Child::stuck_after(|| (lock.lock(), lock.lock())).kill();
    let outer = lock.lock();
    let inner = lock.lock();
    assert!(lock.owner_died());
    assert_eq!(lock.depth(), 2, "as often as this process has taken it");
    drop((inner, outer));
    assert!(lock.try_acquire());
    assert!(!lock.owner_died());
}

fn inner_lock_goes_on() {
    let array = Array::<u8>::zeroed(10).unwrap();
    let lock = InnerLock::of(&array);
    Child::stuck_after(|| lock.try_acquire()).kill();
    lock.acquire_until(Deadline::never(), || false).unwrap();
    assert!(lock.owner_died());
    lock.release().unwrap();
    assert!(matches!(lock.release(), Err(Error::NotOwner { .. })));
    assert!(lock.try_acquire());
    assert!(!lock.owner_died());
}

fn value_is_whole() {
    let value = Value::new([1_u64; 64]).unwrap();
    let child = Child::stuck_after(|| {
        let mut guard = value.lock();
        *guard = [2; 64];
        guard
    });
    child.kill();
    assert_eq!(value.get(), [1; 64]);
    assert_eq!(value.update(|_| [3; 64]), [3; 64]);
}

fn array_tells() {
    let array = Array::<u8>::zeroed(10).unwrap();
    let child = Child::stuck_after(|| {
        let mut guard = array.lock();
        guard[0] = 1;
        guard
    });
    child.kill();
    assert_eq!(array.get(0), Some(1));
    let mut guard = array.lock();
    assert!(guard.owner_died());
    guard.recover();
    drop(guard);
    assert!(!array.lock().owner_died());
}

fn barrier_breaks() {
    let barrier = Barrier::new(3).unwrap();
    let wait = || Child::run(|| i32::from(!matches!(barrier.wait(), Err(Error::BrokenBarrier))));
    let (first, second) = (wait(), wait());
    wait_until("both have arrived", || barrier.n_waiting() == 2);
    first.kill();
    assert_eq!(second.code(), Some(0));
    assert!(barrier.broken());
    barrier.reset();
    let (third, fourth) = (wait(), wait());
    assert!(barrier.wait().is_ok());
    assert_eq!((third.code(), fourth.code()), (Some(1), Some(1)));
}

fn notice_goes_on() {
    let condition = Condition::new().unwrap();
    let wait = || {
        Child::run(|| {
            let guard = condition.lock();
            i32::from(guard.wait().is_err())
        })
    };
    let first = wait();
    wait_until("the first waits", || condition.n_waiting() == 1);
    let second = wait();
    wait_until("the second waits", || condition.n_waiting() == 2);
    // Stopped, so that it cannot see its notice; then killed with it.
    first.0.send_signal(Signal::STOP).unwrap();
    condition.lock().notify_one().unwrap();
    assert_eq!(condition.n_waiting(), 1, "the one that has waited longest was notified");
    first.kill();
    assert_eq!(second.code(), Some(0));
    // And one that died before the notice.
    let third = wait();
    wait_until("the third waits", || condition.n_waiting() == 1);
    third.kill();
    let fourth = wait();
    wait_until("the dead one is not counted", || {
        procession_shm::family().unwrap().look_for_deaths();
        condition.n_waiting() == 1
    });
    wait_until("the fourth is awake", || {
        condition.lock().notify_one().unwrap();
        fourth.0.wait_ended(Deadline::now()).unwrap()
    });
    assert_eq!(fourth.code(), Some(0));
}

fn semaphore_goes_on() {
    let semaphore = Semaphore::new(0).unwrap();
    let ready = Semaphore::new(0).unwrap();
    let wait = || {
        Child::run(|| {
            ready.release().unwrap();
            semaphore.acquire();
            0
        })
    };
    let (first, second) = (wait(), wait());
    ready.acquire();
    ready.acquire();
    first.0.send_signal(Signal::STOP).unwrap();
    semaphore.release().unwrap();
    first.kill();
    semaphore.release().unwrap();
    assert_eq!(second.code(), Some(0));
}

fn event_sets() {
    let event = Event::new().unwrap();
    let ready = Event::new().unwrap();
    let wait = || {
        Child::run(|| {
            ready.set();
            event.wait();
            0
        })
    };
    let first = wait();
    ready.wait();
    let second = wait();
    first.kill();
    event.set();
    assert_eq!(second.code(), Some(0));
}

fn fork_keeps_guards() {
    let (lock, rlock) = (Lock::new().unwrap(), RLock::new().unwrap());
    let (mutex, value) = (Mutex::new(1_u8).unwrap(), Value::new(1_u8).unwrap());
    let semaphore = Semaphore::new(1).unwrap();
    let guards = (lock.lock(), rlock.lock(), mutex.lock().unwrap(), semaphore.permit());
    let mut copy = value.lock();
    *copy = 2;
    match fork().unwrap() {
        Fork::Child => {
            drop((guards, copy));
            let held = lock.is_locked() && rlock.is_locked() && value.holder().is_some();
            let kept = mutex.try_lock().is_err() && semaphore.value() == 0 && value.load() == 1;
            let bad = !held || !kept || rlock.is_mine() || lock.is_mine();
            leave::leave(i32::from(bad));
        }
        Fork::Parent(pid) => {
            assert_eq!(Child(Pidfd::open(pid).unwrap()).code(), Some(0));
            assert!(lock.is_mine() && rlock.is_mine() && value.load() == 1);
            drop((guards, copy));
            assert_eq!((value.load(), semaphore.value()), (2, 1));
            assert!(lock.try_acquire() && mutex.try_lock().is_ok());
        }
    }
}

fn objects_travel() {
    let queue = Queue::<(Value<i64>, Event, Barrier)>::new().unwrap();
    let child = Child::run(|| {
        let (value, event, barrier) = queue.get().unwrap();
        barrier.wait().unwrap();
        for _ in 0..10_000 {
            *value.lock() += 1;
        }
        event.set();
        0
    });
    let (value, event) = (Value::new(0_i64).unwrap(), Event::new().unwrap());
    let barrier = Barrier::new(2).unwrap();
    queue.put(&(value.clone(), event.clone(), barrier.clone())).unwrap();
    barrier.wait().unwrap();
    for _ in 0..10_000 {
        let _ = value.update(|number| number + 1);
    }
    event.wait();
    assert_eq!(value.get(), 20_000);
    assert_eq!(child.code(), Some(0));
}

/// A queue with so many items in it.
fn queue_of(count: u32) -> JoinableQueue<u32> {
    let queue = JoinableQueue::new().unwrap();
    queue.put_many(0..count).unwrap();
    queue
}

/// Joins within a minute; how many items it says are lost.
fn join(queue: &JoinableQueue<u32>) -> usize {
    match queue.join_timeout(Duration::from_secs(60)) {
        Ok(()) => 0,
        Err(Error::ItemsLost { count }) => count,
        Err(error) => panic!("{error}"),
    }
}

fn wait_until_all_children_sleep() {
    wait_until("all children sleep", || {
        procession_testkit::family::descendants().iter().all(|child| child.state == 'S')
    });
}

fn join_tells() {
    let queue = queue_of(6);
    let died = Child::stuck_after(|| {
        queue.get().unwrap();
        queue.get_bytes().unwrap();
        assert_eq!(queue.get_many(2).unwrap().len(), 2);
        queue.task_done().unwrap();
    });
    let go_on = Event::new().unwrap();
    let other = Child::run(|| {
        queue.try_get().unwrap();
        queue.get_timeout(Duration::ZERO).unwrap();
        go_on.wait();
        queue.task_done().unwrap();
        queue.task_done().unwrap();
        0
    });
    wait_until("the other has taken the rest", || queue.empty());
    assert_eq!(queue.unfinished(), 5);
    died.kill();
    assert_eq!(join(&queue), 3);
    assert_eq!(queue.unfinished(), 2);
    assert!(queue.join_timeout(Duration::from_millis(600)).unwrap_err().is_timeout());
    go_on.set();
    assert_eq!(join(&queue), 0);
    assert_eq!(other.code(), Some(0));
    assert!(matches!(queue.task_done(), Err(Error::TaskDoneTooOften)));
    queue.put(&9).unwrap();
    assert_eq!((queue.get().unwrap(), queue.unfinished()), (9, 1));
    queue.task_done().unwrap();
    assert_eq!(join(&queue), 0);
}

fn waiting_getter_takes_nothing() {
    let queue = queue_of(0);
    let ready = Event::new().unwrap();
    let child = Child::run(|| {
        ready.set();
        queue.get().map_or(1, |_| 0)
    });
    ready.wait();
    wait_until_all_children_sleep();
    child.kill();
    queue.put(&1).unwrap();
    assert!(queue.join_timeout(Duration::from_millis(600)).unwrap_err().is_timeout());
    assert_eq!(queue.get().unwrap(), 1);
    queue.task_done().unwrap();
    assert_eq!(join(&queue), 0);
}

fn done_by_another() {
    let queue = queue_of(2);
    let child = Child::stuck_after(|| queue.get_many(2).unwrap());
    queue.task_done().unwrap();
    child.kill();
    assert_eq!(join(&queue), 1);
    assert!(matches!(queue.task_done(), Err(Error::TaskDoneTooOften)));

    let queue = queue_of(1);
    let child = Child::stuck_after(|| queue.get().unwrap());
    queue.task_done().unwrap();
    child.kill();
    assert_eq!(join(&queue), 0);
}

fn leaver_is_missed() {
    let queue = queue_of(1);
    let child = Child::run(|| queue.get().map_or(1, |_| 0));
    assert_eq!(child.code(), Some(0));
    assert_eq!(join(&queue), 1);
    assert_eq!(join(&queue), 0);
}

fn joiners_are_told() {
    let queue = queue_of(2);
    let getter = Child::stuck_after(|| queue.get_many(2).unwrap());
    let started = Semaphore::new(0).unwrap();
    let joiners: Vec<_> = (0..3)
        .map(|_| {
            Child::run(|| {
                started.release().unwrap();
                join(&queue) as i32
            })
        })
        .collect();
    joiners.iter().for_each(|_| started.acquire());
    wait_until_all_children_sleep();
    getter.kill();
    for joiner in joiners {
        assert_eq!(joiner.code(), Some(2));
    }
    assert_eq!(join(&queue), 0);
}

fn hand_stays_with_parent() {
    let queue = queue_of(2);
    queue.get().unwrap();
    let child = Child::run(|| queue.get().map_or(1, |_| 0));
    assert_eq!(child.code(), Some(0));
    assert_eq!(join(&queue), 1);
    assert!(queue.join_timeout(Duration::from_millis(600)).unwrap_err().is_timeout());
    queue.task_done().unwrap();
    assert_eq!(join(&queue), 0);
}

fn seat_begins_anew() {
    let queue = queue_of(4);
    let family = procession_shm::family().unwrap();
    let sat = Value::new(0_u64).unwrap();
    let takes = |count| {
        let child = Child::stuck_after(|| {
            sat.store(family.me().to_word());
            queue.get_many(count).unwrap()
        });
        (child, MemberId::from_word(sat.load()))
    };
    let (first, seat) = takes(2);
    first.kill();
    assert_eq!(join(&queue), 2);
    family.release(seat);
    let (second, same_seat) = takes(1);
    assert_eq!(same_seat.seat(), seat.seat());
    assert_ne!(same_seat, seat);
    let (third, _) = takes(1);
    third.kill();
    assert_eq!(join(&queue), 1, "the second has one in hand, and not what the first had");
    second.kill();
    assert_eq!(join(&queue), 1);
    assert_eq!(queue.unfinished(), 0);
}
