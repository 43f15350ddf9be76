//! Several processes, and the objects that they share.

use procession::{
    Array, Barrier, Condition, Connection, Event, Lock, Mutex, Pool, Process, Queue, RLock,
    Semaphore, Value, duplex, wait,
};
use procession_testkit::{guard_after, wait_until};
use std::time::Duration;

/// The zygote and the arena, which stay.
fn warm_up() {
    Process::spawn(|_: ()| (), ()).unwrap().join().unwrap();
}

#[test]
fn a_mutex_of_a_killed_holder_goes_to_the_next_with_word_of_it() {
    let _guard = guard_after(warm_up);
    let mutex = Mutex::new(1_u64).unwrap();
    let taken = Queue::new().unwrap();
    let holder = Process::spawn(
        |(mutex, taken): (Mutex<u64>, Queue<()>)| {
            let mut value = mutex.lock().unwrap();
            *value = 2;
            taken.put(&()).unwrap();
            let _ = Queue::<()>::new().unwrap().get();
        },
        (mutex.clone(), taken.clone()),
    )
    .unwrap();
    taken.get().unwrap();
    assert!(mutex.try_lock().is_err());
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| *mutex.lock().unwrap_err().recover());
        holder.kill().unwrap();
        assert_eq!(waiter.join().unwrap(), 2);
    });
    assert_eq!(*mutex.lock().unwrap(), 2);
    assert_eq!(holder.join().unwrap_err().to_string().matches("SIGKILL").count(), 1);
}

#[test]
fn a_lock_of_a_killed_holder_stays_taken_until_somebody_releases_it() {
    let _guard = guard_after(warm_up);
    let lock = Lock::new().unwrap();
    let holder = Process::spawn(
        |lock: Lock| {
            lock.acquire();
            std::process::abort();
        },
        lock.clone(),
    )
    .unwrap();
    assert!(holder.join().map(|never: ()| never).is_err());
    assert!(!lock.try_acquire());
    lock.release().unwrap();
    assert!(lock.try_acquire());
}

#[test]
fn an_event_is_set_for_the_others_when_a_waiter_was_killed() {
    let _guard = guard_after(warm_up);
    let (event, here) = (Event::new().unwrap(), Queue::new().unwrap());
    let start = || {
        let wait = |(event, here): (Event, Queue<()>)| {
            here.put(&()).unwrap();
            event.wait();
        };
        Process::spawn(wait, (event.clone(), here.clone())).unwrap()
    };
    let waiters = [start(), start(), start()];
    waiters.iter().for_each(|_| here.get().unwrap());
    waiters[1].kill().unwrap();
    assert!(waiters[1].join().is_err());
    event.set();
    waiters[0].join().unwrap();
    waiters[2].join().unwrap();
}

#[test]
fn a_barrier_breaks_when_a_party_is_killed_in_it() {
    let _guard = guard_after(warm_up);
    let barrier = Barrier::new(3).unwrap();
    let start = || {
        let work = |barrier: Barrier| barrier.wait().is_err();
        Process::spawn(work, barrier.clone()).unwrap()
    };
    let (killed, other) = (start(), start());
    wait_until("two wait at the barrier", || barrier.n_waiting() == 2);
    killed.kill().unwrap();
    assert!(killed.join().is_err());
    assert!(other.join().unwrap(), "the other party was not told");
    assert!(barrier.wait().is_err());
    barrier.reset();
    let (one, two) = (start(), start());
    assert!(barrier.wait().is_ok());
    assert!(!one.join().unwrap() && !two.join().unwrap());
}

#[test]
fn a_condition_wakes_the_others_when_a_waiter_was_killed() {
    let _guard = guard_after(warm_up);
    let condition = Condition::new().unwrap();
    let start = || {
        let work = |condition: Condition| condition.lock().wait().is_ok();
        Process::spawn(work, condition.clone()).unwrap()
    };
    let (killed, other) = (start(), start());
    wait_until("two wait", || condition.n_waiting() == 2);
    killed.kill().unwrap();
    assert!(killed.join().is_err());
    condition.lock().notify_all().unwrap();
    assert!(other.join().unwrap());
}

#[test]
fn a_semaphore_lets_so_many_in() {
    let _guard = guard_after(warm_up);
    let (semaphore, inside) = (Semaphore::new(2).unwrap(), Value::new(0_i64).unwrap());
    let pool = Pool::new(4).unwrap();
    let work = |(semaphore, inside): (Semaphore, Value<i64>)| {
        let _permit = semaphore.permit();
        let now = inside.fetch_add(1) + 1;
        inside.fetch_sub(1);
        now
    };
    let tasks = (0..200).map(|_| (semaphore.clone(), inside.clone()));
    let most = pool.with().chunksize(1).map(work, tasks).unwrap().into_iter().max();
    assert!(most <= Some(2));
    assert_eq!(semaphore.value(), 2);
}

#[test]
fn processes_count_together_under_a_lock_and_without() {
    let _guard = guard_after(warm_up);
    let (locked, atomic) = (Value::new(0_u64).unwrap(), Value::new(0_u64).unwrap());
    let rlock = RLock::new().unwrap();
    let start = || {
        let work = |(locked, atomic, rlock): (Value<u64>, Value<u64>, RLock)| {
            for _ in 0..10_000 {
                locked.update(|n| n + 1);
                atomic.fetch_add(1);
            }
            let _once = rlock.lock();
            let _twice = rlock.lock();
        };
        Process::spawn(work, (locked.clone(), atomic.clone(), rlock.clone())).unwrap()
    };
    for process in [start(), start(), start(), start()] {
        process.join().unwrap();
    }
    assert_eq!((locked.get(), atomic.load()), (40_000, 40_000));
    assert!(!rlock.is_locked());
}

#[test]
fn a_pool_fills_the_rows_of_a_shared_array() {
    let _guard = guard_after(warm_up);
    let array = Array::<u32>::with_shape(&[50, 40]).unwrap();
    let pool = Pool::new(2).unwrap();
    let fill = |(array, row): (Array<u32>, usize)| {
        array.lock().row_mut(row).iter_mut().for_each(|element| *element = row as u32);
    };
    pool.map(fill, (0..50).map(|row| (array.clone(), row))).unwrap();
    let all = array.to_vec();
    assert!(all.chunks(40).enumerate().all(|(row, part)| part.iter().all(|n| *n == row as u32)));
}

#[test]
fn wait_takes_queues_connections_and_processes_together() {
    let _guard = guard_after(warm_up);
    let queue = Queue::<u8>::new().unwrap();
    let (here, there) = duplex::<u8>().unwrap();
    let go = Queue::<u8>::new().unwrap();
    let work = |(queue, there, go): (Queue<u8>, Connection<u8>, Queue<u8>)| {
        go.get().unwrap();
        queue.put(&1).unwrap();
        go.get().unwrap();
        there.send(&2).unwrap();
        go.get().unwrap();
    };
    let process = Process::spawn(work, (queue.clone(), there, go.clone())).unwrap();
    let all: [&dyn procession::Waitable; 3] = [&queue, &here, &process];
    assert!(wait(&all, Some(Duration::ZERO)).unwrap().is_empty());
    go.put(&0).unwrap();
    assert_eq!(wait(&all, None).unwrap(), [0]);
    queue.get().unwrap();
    go.put(&0).unwrap();
    assert_eq!(wait(&all, None).unwrap(), [1]);
    assert_eq!(here.recv().unwrap(), 2);
    go.put(&0).unwrap();
    // The connection is at its end because the process is; either may be seen first.
    let ready = wait(&all, None).unwrap();
    assert!(ready.iter().all(|at| [1, 2].contains(at)) && !ready.is_empty());
    process.join().unwrap();
    wait_until("the connection is closed", || here.poll());
    assert!(here.recv().unwrap_err().is_closed());
}

#[test]
fn a_connection_ends_when_the_process_at_its_other_end_is_killed() {
    let _guard = guard_after(warm_up);
    let (here, there) = duplex::<u64>().unwrap();
    let work = |there: Connection<u64>| {
        there.send(&1).unwrap();
        there.recv().map_or(0, |n| n)
    };
    let process = Process::spawn(work, there).unwrap();
    assert_eq!(here.recv().unwrap(), 1);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| here.recv());
        process.kill().unwrap();
        assert!(reader.join().unwrap().unwrap_err().is_closed());
    });
    assert!(process.join().is_err());
}

#[test]
fn a_queue_in_a_queue_in_a_result_is_the_same_queue() {
    let _guard = guard_after(warm_up);
    let work = |carrier: Queue<Queue<String>>| {
        let made = Queue::new().unwrap();
        made.put(&"from the child".to_string()).unwrap();
        carrier.put(&made).unwrap();
        made
    };
    let carrier = Queue::new().unwrap();
    let process = Process::spawn(work, carrier.clone()).unwrap();
    let returned = process.join().unwrap();
    let carried = carrier.get().unwrap();
    assert_eq!(returned.get().unwrap(), "from the child");
    carried.put(&"from here".to_string()).unwrap();
    assert_eq!(returned.get().unwrap(), "from here");
}
