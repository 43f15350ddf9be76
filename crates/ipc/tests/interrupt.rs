//! Waits that end because whoever waits says that it is enough.

use procession_ipc::byte_queue::{Bounds, ByteQueue, Item};
use procession_ipc::{Array, Error, Mutex, Value};
use procession_sys::Deadline;
use procession_testkit::guard_after;
use std::time::Duration;

/// The arena, which stays.
fn arena() {
    drop(ByteQueue::new(Bounds::default()).unwrap());
}

fn queue(items: u64) -> ByteQueue {
    ByteQueue::new(Bounds { items, bytes: 0 }).unwrap()
}

/// Says that it is enough when it is asked for the second time.
fn second_time() -> impl FnMut() -> bool {
    let mut asked = 0;
    move || {
        asked += 1;
        asked == 2
    }
}

const MESSAGE: Item<'_> = Item::Message { format: 2, bytes: b"abc" };

#[test]
fn a_wait_for_an_item_can_be_interrupted_and_loses_none() {
    let _guard = guard_after(arena);
    let (queue, mut bytes) = (queue(0), Vec::new());
    let ended = queue.get_until(&mut bytes, None, Deadline::never(), second_time());
    assert!(matches!(ended, Err(Error::Interrupted { .. })));
    let ended = queue.get_many_until(9, None, Deadline::never(), || true, |_, _| {});
    assert!(matches!(ended, Err(Error::Interrupted { .. })));
    queue.put_one(2, b"abc", Deadline::never()).unwrap();
    queue.get_until(&mut bytes, None, Deadline::never(), || true).unwrap();
    assert_eq!(bytes, b"abc", "what is there is got without asking");
}

#[test]
fn a_wait_for_room_can_be_interrupted_and_says_how_many_were_put() {
    let _guard = guard_after(arena);
    let queue = queue(2);
    let ended = queue.put_until(&[MESSAGE; 3], Deadline::never(), || true);
    assert!(matches!(ended, Err((2, Error::Interrupted { .. }))));
    let ended = queue.put_one_until(2, b"abc", Deadline::never(), || true);
    assert!(matches!(ended, Err(Error::Interrupted { .. })));
    assert_eq!(queue.len(), 2);
}

#[test]
fn a_wait_for_all_to_be_done_can_be_interrupted() {
    let _guard = guard_after(arena);
    let queue = queue(0);
    queue.put(&[MESSAGE], Deadline::never()).unwrap();
    let ended = queue.join_until(Deadline::never(), || true);
    assert!(matches!(ended, Err(Error::Interrupted { .. })));
    queue.task_done().unwrap();
    queue.join_until(Deadline::never(), || true).unwrap();
}

#[test]
fn a_wait_for_data_under_a_lock_ends_at_its_deadline() {
    let soon = || Deadline::after(Duration::from_millis(20));
    let mutex = Mutex::new(1_u8).unwrap();
    let (value, array) = (Value::new(1_u8).unwrap(), Array::new(&[1_u8]).unwrap());
    let _held = (mutex.lock().unwrap(), value.lock(), array.lock());
    assert!(Error::from(mutex.lock_until(soon(), || true).unwrap_err()).is_timeout());
    assert!(value.lock_until(soon(), || true).unwrap_err().is_timeout());
    assert!(array.lock_until(soon(), || true).unwrap_err().is_timeout());
}
