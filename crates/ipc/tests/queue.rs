//! Queues and pipes within one process.

use procession_ipc::{Error, JoinableQueue, Queue, duplex, simplex, wait};
use procession_testkit::guard_after;
use std::thread;
use std::time::Duration;

#[test]
fn items_of_every_size_come_out_as_they_went_in() {
    let _guard = guard_after(|| drop(Queue::<u8>::new().unwrap()));
    let queue = Queue::<Vec<u8>>::new().unwrap();
    for len in [0, 1, 7, 8, 9, 1000, 65_535, 65_536, 65_537, 300_000, 3_000_000] {
        let item: Vec<u8> = (0..len).map(|n: usize| n as u8).collect();
        queue.put(&item).unwrap();
        assert_eq!(queue.get().unwrap(), item, "{len}");
    }
}

#[test]
fn a_backlog_larger_than_the_first_map_comes_out_in_order() {
    let _guard = guard_after(|| drop(Queue::<u8>::new().unwrap()));
    let queue = Queue::<(u64, Vec<u8>)>::new().unwrap();
    let filler = vec![7_u8; 10_000];
    for n in 0..8000 {
        queue.put(&(n, filler.clone())).unwrap();
    }
    for n in 0..8000 {
        let (number, bytes) = queue.get().unwrap();
        assert_eq!((number, bytes.len()), (n, filler.len()));
    }
    assert!(queue.empty());
}

#[test]
fn putters_and_getters_in_threads_pass_every_item_once() {
    let _guard = guard_after(|| drop(Queue::<u8>::new().unwrap()));
    let queue = Queue::<u64>::new().unwrap();
    let per = 50_000;
    let sum: u64 = thread::scope(|scope| {
        for putter in 0..3 {
            let queue = queue.clone();
            scope.spawn(move || (0..per).for_each(|n| queue.put(&(putter * per + n)).unwrap()));
        }
        let getters: Vec<_> = (0..3)
            .map(|_| {
                let queue = queue.clone();
                scope.spawn(move || (0..per).map(|_| queue.get().unwrap()).sum::<u64>())
            })
            .collect();
        getters.into_iter().map(|getter| getter.join().unwrap()).sum()
    });
    assert_eq!(sum, (0..3 * per).sum());
}

#[test]
fn a_bounded_queue_is_full_and_then_is_not() {
    let _guard = guard_after(|| drop(Queue::<u8>::new().unwrap()));
    let queue = Queue::with_maxsize(2).unwrap();
    queue.put(&1_u8).unwrap();
    queue.put(&2).unwrap();
    assert!(queue.full());
    assert!(queue.try_put(&3).unwrap_err().is_timeout());
    assert!(queue.put_timeout(&3, Duration::from_millis(1)).unwrap_err().is_timeout());
    thread::scope(|scope| {
        let putter = queue.clone();
        scope.spawn(move || (3..100).for_each(|n| putter.put(&n).unwrap()));
        for n in 1..100 {
            assert_eq!(queue.get().unwrap(), n);
        }
    });
}

#[test]
fn one_free_place_is_enough_for_one_of_the_putters_that_wait() {
    let _guard = guard_after(|| drop(Queue::<u8>::new().unwrap()));
    let queue = Queue::with_maxsize(64).unwrap();
    (0..64_u32).for_each(|n| queue.put(&n).unwrap());
    let (done, finished) = std::sync::mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..3 {
            let (queue, done) = (queue.clone(), done.clone());
            scope.spawn(move || {
                (0..100).for_each(|_| queue.put(&64).unwrap());
                done.send(()).unwrap();
            });
        }
        for got in 0..364_u32 {
            if got < 300 {
                // There is one place, and somebody takes it.
                while !queue.full() {
                    thread::yield_now();
                }
            }
            assert_eq!(queue.get().unwrap(), got.min(64));
        }
    });
    assert_eq!(finished.try_iter().count(), 3);
}

#[test]
fn a_queue_bounded_in_bytes_takes_a_larger_item_alone() {
    let _guard = guard_after(|| drop(Queue::<u8>::new().unwrap()));
    let queue = Queue::<Vec<u8>>::builder().max_bytes(100).build().unwrap();
    queue.put(&vec![1; 1000]).unwrap();
    assert!(queue.try_put(&vec![1]).unwrap_err().is_timeout());
    queue.get().unwrap();
    queue.put(&vec![1; 40]).unwrap();
    queue.put(&vec![1; 40]).unwrap();
    assert!(queue.try_put(&vec![1; 40]).unwrap_err().is_timeout());
}

#[test]
fn batches_keep_their_order() {
    let _guard = guard_after(|| drop(Queue::<u8>::new().unwrap()));
    let queue = Queue::<u32>::new().unwrap();
    assert_eq!(queue.put_many(0..100_000_u32).unwrap(), 100_000);
    let mut next = 0;
    while next < 100_000 {
        for n in queue.get_many(1000).unwrap() {
            assert_eq!(n, next);
            next += 1;
        }
    }
}

#[test]
fn a_large_payload_is_lent() {
    let _guard = guard_after(|| drop(Queue::<u8>::new().unwrap()));
    let queue = Queue::<()>::new().unwrap();
    let bytes = vec![3_u8; 1 << 20];
    queue.put_bytes(&bytes).unwrap();
    let payload = queue.get_bytes().unwrap();
    assert!(payload.is_lent());
    assert_eq!(&*payload, &*bytes);
    queue.put_bytes(b"small").unwrap();
    assert_eq!(&*queue.get_bytes().unwrap(), b"small");
}

#[test]
fn a_message_of_another_type_is_an_error_and_the_next_one_comes() {
    let _guard = guard_after(|| drop(Queue::<u8>::new().unwrap()));
    let queue = Queue::<String>::new().unwrap();
    queue.put_bytes(&[200, 1]).unwrap();
    queue.put(&"next".to_string()).unwrap();
    assert!(queue.get().unwrap_err().to_string().contains("not a value of type"));
    assert_eq!(queue.get().unwrap(), "next");
}

#[test]
fn a_queue_travels_in_a_queue_and_outlives_its_sender() {
    let _guard = guard_after(|| drop(Queue::<u8>::new().unwrap()));
    let carrier = Queue::<Queue<u8>>::new().unwrap();
    let inner = Queue::new().unwrap();
    inner.put(&9_u8).unwrap();
    carrier.put(&inner).unwrap();
    drop(inner);
    assert_eq!(carrier.get().unwrap().get().unwrap(), 9);
}

#[test]
fn a_shared_object_outside_of_a_message_is_refused() {
    let _guard = guard_after(|| drop(Queue::<u8>::new().unwrap()));
    let queue = Queue::<u8>::new().unwrap();
    let error = postcard::to_allocvec(&queue);
    assert!(error.is_err());
}

#[test]
fn a_shutdown_ends_a_wait_and_lets_the_rest_out() {
    let _guard = guard_after(|| drop(Queue::<u8>::new().unwrap()));
    let queue = Queue::<u8>::new().unwrap();
    queue.put(&1).unwrap();
    queue.shutdown();
    assert!(queue.put(&2).unwrap_err().is_closed());
    assert_eq!(queue.get().unwrap(), 1);
    assert!(queue.get().unwrap_err().is_closed());
    let other = Queue::<u8>::new().unwrap();
    thread::scope(|scope| {
        let waiting = other.clone();
        let waiter = scope.spawn(move || waiting.get());
        other.shutdown();
        assert!(waiter.join().unwrap().unwrap_err().is_closed());
    });
}

#[test]
fn what_one_thread_got_another_may_declare_done() {
    let _guard = guard_after(|| drop(Queue::<u8>::new().unwrap()));
    let queue = JoinableQueue::<u32>::with_maxsize(10).unwrap();
    let got = Queue::<u32>::new().unwrap();
    thread::scope(|scope| {
        scope.spawn(|| (0..1000).for_each(|_| got.put(&queue.get().unwrap()).unwrap()));
        scope.spawn(|| {
            for n in 0..1000 {
                assert_eq!(got.get().unwrap(), n);
                queue.task_done().unwrap();
            }
        });
        assert_eq!(queue.put_many(0..1000_u32).unwrap(), 1000);
        queue.join().unwrap();
    });
    assert!(matches!(queue.task_done(), Err(Error::TaskDoneTooOften)));
}

#[test]
fn an_item_in_hand_is_not_lost_whichever_way_it_was_got() {
    type Items = JoinableQueue<Vec<u8>>;
    let _guard = guard_after(|| drop(Queue::<u8>::new().unwrap()));
    let ways: [fn(&Items); 5] = [
        |items| drop(items.get().unwrap()),
        |items| drop(items.try_get().unwrap()),
        |items| drop(items.get_timeout(Duration::ZERO).unwrap()),
        |items| drop(items.get_many(9).unwrap()),
        |items| drop(items.get_bytes().unwrap()),
    ];
    for items in [Items::new().unwrap(), Items::with_maxsize(3).unwrap()] {
        for (get, size) in ways.into_iter().flat_map(|way| [(way, 10), (way, 100_000)]) {
            items.put(&vec![7; size]).unwrap();
            get(&items);
            assert!(items.join_timeout(Duration::ZERO).unwrap_err().is_timeout(), "{size}");
            items.task_done().unwrap();
            items.join().unwrap();
        }
    }
}

#[test]
fn what_a_shutdown_drops_is_done() {
    let _guard = guard_after(|| drop(Queue::<u8>::new().unwrap()));
    let queue = JoinableQueue::<u32>::new().unwrap();
    queue.put_many(0..3_u32).unwrap();
    queue.get().unwrap();
    assert_eq!(queue.shutdown_now(), 2);
    assert_eq!(queue.unfinished(), 1);
    queue.task_done().unwrap();
    queue.join().unwrap();
}

#[test]
fn wait_names_those_that_are_ready() {
    let _guard = guard_after(|| drop(Queue::<u8>::new().unwrap()));
    let (a, b) = (Queue::<u8>::new().unwrap(), Queue::<u8>::new().unwrap());
    assert!(wait(&[&a, &b], Some(Duration::ZERO)).unwrap().is_empty());
    thread::scope(|scope| {
        let putter = b.clone();
        let waiter = scope.spawn(|| wait(&[&a, &b], None));
        putter.put(&1).unwrap();
        assert_eq!(waiter.join().unwrap().unwrap(), [1]);
    });
}

#[test]
fn an_end_that_is_dropped_ends_the_other_ones_wait() {
    let _guard = guard_after(|| drop(Queue::<u8>::new().unwrap()));
    let (here, there) = duplex::<u8>().unwrap();
    thread::scope(|scope| {
        let waiter = scope.spawn(move || here.recv());
        drop(there);
        assert!(waiter.join().unwrap().unwrap_err().is_closed());
    });
}

#[test]
fn a_simplex_pipe_goes_one_way() {
    let _guard = guard_after(|| drop(Queue::<u8>::new().unwrap()));
    let (reader, writer) = simplex::<String>().unwrap();
    writer.send(&"x".to_string()).unwrap();
    assert!(reader.send(&"y".to_string()).is_err());
    assert!(writer.recv().is_err());
    drop(writer);
    assert_eq!(reader.recv().unwrap(), "x");
    assert!(reader.recv().unwrap_err().is_closed());
}
