//! The other objects of a `SyncManager`.

use crate::servers::{Kind, each};
use procession_manager::client::ManagerError;
use std::sync::Barrier as Meeting;
use std::thread;
use std::time::Duration;

const SHORT: Duration = Duration::from_millis(50);

#[test]
fn a_list_is_pythons() {
    each(|server| {
        let manager = server.connect();
        let list = manager.list(["b", "a"].map(str::to_owned)).unwrap();
        list.append(&"c".to_owned()).unwrap();
        list.extend(&["d".to_owned(), "e".to_owned()]).unwrap();
        list.insert(0, &"z".to_owned()).unwrap();
        list.set(-1, &"E".to_owned()).unwrap();
        assert_eq!(list.len().unwrap(), 6);
        assert_eq!(list.to_vec().unwrap(), ["z", "b", "a", "c", "d", "E"]);
        assert_eq!((list.get(1).unwrap(), list.get(6).unwrap()), (Some("b".to_owned()), None));
        assert_eq!(list.index(&"c".to_owned()).unwrap(), Some(3));
        assert_eq!(list.count(&"x".to_owned()).unwrap(), 0);
        assert!(list.remove(&"z".to_owned()).unwrap() && !list.remove(&"z".to_owned()).unwrap());
        list.delete(-1).unwrap();
        list.sort().unwrap();
        list.reverse().unwrap();
        assert_eq!(list.to_vec().unwrap(), ["d", "c", "b", "a"]);
        assert_eq!(list.pop_at(0).unwrap().as_deref(), Some("d"));
        assert_eq!(list.pop().unwrap().as_deref(), Some("a"));
        assert!(list.contains(&"b".to_owned()).unwrap());
        let (_, _) = (list.pop().unwrap(), list.pop().unwrap());
        assert!(list.pop().unwrap().is_none() && list.is_empty().unwrap());
    });
}

#[test]
fn a_dict_is_pythons() {
    each(|server| {
        let manager = server.connect();
        let dict = manager.dict([("a".to_owned(), 1)]).unwrap();
        dict.insert(&"b".to_owned(), &2).unwrap();
        assert_eq!(dict.setdefault(&"b".to_owned(), &7).unwrap(), 2);
        assert_eq!(dict.setdefault(&"c".to_owned(), &7).unwrap(), 7);
        assert_eq!(dict.keys().unwrap(), ["a", "b", "c"]);
        assert_eq!(dict.values().unwrap(), [1, 2, 7]);
        assert_eq!(dict.get(&"b".to_owned()).unwrap(), Some(2));
        assert_eq!(dict.remove(&"a".to_owned()).unwrap(), Some(1));
        assert_eq!(dict.remove(&"a".to_owned()).unwrap(), None);
        assert!(dict.delete(&"c".to_owned()).unwrap() && !dict.delete(&"c".to_owned()).unwrap());
        assert!(dict.contains(&"b".to_owned()).unwrap());
        assert_eq!(dict.items().unwrap(), [("b".to_owned(), 2)]);
        dict.update(&[("b".to_owned(), 3), ("d".to_owned(), 4)]).unwrap();
        assert_eq!(dict.items().unwrap(), [("b".to_owned(), 3), ("d".to_owned(), 4)]);
        dict.clear().unwrap();
        assert!(dict.is_empty().unwrap());
    });
}

#[test]
fn a_set_is_pythons_where_there_is_one() {
    each(|server| {
        let manager = server.connect();
        let set = match (manager.set([1, 2]), server.kind()) {
            (Err(ManagerError::Failed { .. }), Kind::Stock(3, ..=13)) => return,
            (set, _) => set.unwrap(),
        };
        set.update(&[2, 3]).unwrap();
        assert!(set.discard(&1).unwrap() && !set.discard(&1).unwrap());
        let mut members = set.to_vec().unwrap();
        members.sort_unstable();
        assert_eq!(members, [2, 3]);
    });
}

#[test]
fn namespaces_values_and_arrays_keep_what_was_set() {
    each(|server| {
        let manager = server.connect();
        let space = manager.namespace().unwrap();
        space.set("size", &(640, 480)).unwrap();
        assert_eq!(space.get("size").unwrap(), Some((640, 480)));
        assert!(space.delete("size").unwrap() && !space.delete("size").unwrap());
        assert_eq!(space.get::<u8>("size").unwrap(), None);
        let value = manager.value("i", 3).unwrap();
        value.set(&(value.get().unwrap() + 1)).unwrap();
        assert_eq!(value.get().unwrap(), 4);
        let array = manager.array("d", &[1.0, 2.0]).unwrap();
        array.set(0, &9.5).unwrap();
        assert_eq!(array.len().unwrap(), 2);
        assert_eq!((array.get(0).unwrap(), array.get(2).unwrap()), (Some(9.5), None));
        assert_eq!(array.to_vec().unwrap(), [9.5, 2.0]);
    });
}

#[test]
fn a_lock_is_held_by_one_thread_at_a_time() {
    each(|server| {
        let manager = server.connect();
        let lock = manager.lock().unwrap();
        let guard = lock.lock().unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                assert!(lock.try_lock().unwrap().is_none());
                assert!(lock.lock_timeout(SHORT).unwrap_err().is_timeout());
                assert!(!lock.acquire_timeout(SHORT).unwrap());
            });
        });
        drop(guard);
        lock.acquire().unwrap();
        lock.release().unwrap();
        assert!(lock.release().unwrap_err().is("builtins", "RuntimeError"));
    });
}

#[test]
fn a_recursive_lock_belongs_to_its_thread() {
    each(|server| {
        let manager = server.connect();
        let lock = manager.rlock().unwrap();
        let outer = lock.lock().unwrap();
        let inner = lock.try_lock().unwrap().expect("the same thread");
        let elsewhere =
            || thread::scope(|scope| scope.spawn(|| lock.try_acquire().unwrap()).join().unwrap());
        drop(inner);
        assert!(!elsewhere());
        thread::scope(|scope| {
            let released = scope.spawn(|| lock.release()).join().unwrap();
            assert!(released.unwrap_err().is("builtins", "RuntimeError"));
        });
        drop(outer);
        assert!(lock.try_lock().unwrap().is_some());
    });
}

#[test]
fn semaphores_let_so_many_enter() {
    each(|server| {
        let manager = server.connect();
        let semaphore = manager.semaphore(2).unwrap();
        let (one, _two) = (semaphore.permit().unwrap(), semaphore.permit_timeout(SHORT).unwrap());
        assert!(semaphore.try_permit().unwrap().is_none());
        assert!(semaphore.permit_timeout(SHORT).unwrap_err().is_timeout());
        drop(one);
        assert!(semaphore.try_permit().unwrap().is_some());
        semaphore.release().unwrap();
        let bounded = manager.bounded_semaphore(1).unwrap();
        assert!(bounded.release().unwrap_err().is("builtins", "ValueError"));
    });
}

#[test]
fn a_condition_wakes_who_waits_for_a_fact() {
    each(|server| {
        let manager = server.connect();
        let (condition, fact) = (manager.condition().unwrap(), manager.value("b", false).unwrap());
        thread::scope(|scope| {
            let waiter = scope.spawn(|| {
                let guard = condition.lock().unwrap();
                guard.wait_for(|| fact.get()).unwrap();
            });
            let guard = condition.lock().unwrap();
            fact.set(&true).unwrap();
            guard.notify_all().unwrap();
            drop(guard);
            waiter.join().unwrap();
        });
        let guard = condition.lock().unwrap();
        assert!(!guard.wait_timeout(SHORT).unwrap());
        fact.set(&false).unwrap();
        assert!(!guard.wait_for_timeout(SHORT, || fact.get()).unwrap());
        guard.notify(1).unwrap();
    });
}

#[test]
fn a_condition_has_the_lock_that_it_is_given() {
    each(|server| {
        let manager = server.connect();
        let (lock, recursive) = (manager.lock().unwrap(), manager.rlock().unwrap());
        let condition = manager.condition_with_lock(&lock).unwrap();
        let guard = condition.lock().unwrap();
        assert!(lock.try_lock().unwrap().is_none());
        drop(guard);
        assert!(lock.try_lock().unwrap().is_some());
        if server.kind() != Kind::Ours {
            // There a condition takes the lock over a connection of its own.
            return;
        }
        let condition = manager.condition_with_rlock(&recursive).unwrap();
        let _held = recursive.lock().unwrap();
        condition.try_lock().unwrap().expect("the same thread").notify_all().unwrap();
    });
}

#[test]
fn an_event_wakes_all_who_wait() {
    each(|server| {
        let manager = server.connect();
        let event = manager.event().unwrap();
        assert!(!event.wait_timeout(SHORT).unwrap());
        thread::scope(|scope| {
            let waiters = [(); 2].map(|()| scope.spawn(|| event.wait()));
            event.set().unwrap();
            for waiter in waiters {
                waiter.join().unwrap().unwrap();
            }
        });
        assert!(event.is_set().unwrap());
        event.clear().unwrap();
        assert!(!event.is_set().unwrap());
    });
}

#[test]
fn parties_meet_at_a_barrier_and_learn_that_it_broke() {
    each(|server| {
        let manager = server.connect();
        let barrier = manager.barrier(2).unwrap();
        assert_eq!(barrier.parties().unwrap(), 2);
        let begun = Meeting::new(2);
        thread::scope(|scope| {
            let party = scope.spawn(|| {
                begun.wait();
                barrier.wait().unwrap()
            });
            begun.wait();
            let mut places = [barrier.wait().unwrap(), party.join().unwrap()];
            places.sort_unstable();
            assert_eq!(places, [0, 1]);
        });
        let error = barrier.wait_timeout(SHORT).unwrap_err();
        assert!(matches!(error, ManagerError::BrokenBarrier), "{error:?}");
        assert!(barrier.broken().unwrap());
        barrier.reset().unwrap();
        assert!(!barrier.broken().unwrap());
        assert_eq!(barrier.n_waiting().unwrap(), 0);
        barrier.abort().unwrap();
        assert!(barrier.wait().unwrap_err().is_peer_dead());
    });
}
