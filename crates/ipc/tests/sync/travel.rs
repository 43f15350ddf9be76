//! Objects in messages, and by their handles.

use crate::guard;
use procession_ipc::message::Parcel;
use procession_ipc::{
    Array, Barrier, BoundedSemaphore, Buffer, Condition, Error, Event, Lock, Mutex, PipeEnd, Queue,
    RLock, Semaphore, Shareable, Value,
};
use procession_shm::family;
use serde::{Deserialize, Serialize};

#[test]
fn every_object_travels_and_is_the_same_at_the_other_end() {
    let _guard = guard();
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
    let _guard = guard();
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
    let _guard = guard();
    let queue = Queue::new().unwrap();
    queue.put(&Value::new(7_u64).unwrap()).unwrap();
    assert_eq!(queue.get().unwrap().get(), 7);
}

#[test]
fn an_object_does_not_travel_outside_of_a_message() {
    let _guard = guard();
    let error = postcard::to_stdvec(&Lock::new().unwrap()).unwrap_err();
    assert_eq!(error, postcard::Error::SerdeSerCustom);
    assert!(postcard::from_bytes::<Lock>(&[1, 1]).is_err());
}

#[test]
fn an_object_of_another_type_is_refused() {
    let _guard = guard();
    let parcel = Parcel::new(family().unwrap(), &Value::new(7_u64).unwrap()).unwrap();
    assert!(matches!(parcel.decode::<Value<i64>>(), Err(Error::Decode { .. })));
    assert!(matches!(parcel.decode::<Mutex<u64>>(), Err(Error::Decode { .. })));
    assert!(matches!(parcel.decode::<Array<u64>>(), Err(Error::Decode { .. })));
    assert_eq!(parcel.decode::<Value<u64>>().unwrap().get(), 7);
    let parcel = Parcel::new(family().unwrap(), &Semaphore::new(1).unwrap()).unwrap();
    assert!(parcel.decode::<BoundedSemaphore>().is_err());
}

#[test]
fn three_hundred_locks_cost_no_descriptor() {
    let _guard = guard();
    let count = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let before = count();
    let locks: Vec<_> = (0..300).map(|_| Lock::new().unwrap()).collect();
    assert_eq!(count(), before);
    assert!(locks.iter().all(|lock| lock.try_lock().is_some()));
}
