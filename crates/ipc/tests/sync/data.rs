//! What `Mutex`, `Value` and `Array` keep.

use crate::{SHORT, guard};
use procession_ipc::sync::{Holder, MutexError};
use procession_ipc::{Array, Mutex, Value};
use std::thread;

#[test]
fn a_mutex_guards_its_data() {
    let _guard = guard();
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
    let _guard = guard();
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
    let _guard = guard();
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
    let _guard = guard();
    let value = Value::new(1_u32).unwrap();
    let guard = value.lock();
    value.fetch_add(1);
    drop(guard);
    assert_eq!(value.load(), 2);
    assert!(value.lock_timeout(SHORT).is_ok() && value.try_lock().is_some());
}

#[test]
fn an_array_says_what_it_does_not_have() {
    let _guard = guard();
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
    let _guard = guard();
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
    let _guard = guard();
    let array = Array::<f64>::with_shape(&[2, 3]).unwrap();
    array.lock().view_mut()[[1, 2]] = 2.5;
    let guard = array.lock();
    assert_eq!(guard.view().shape(), [2, 3]);
    assert_eq!(guard.view()[[1, 2]], 2.5);
    assert_eq!(guard.row(1)[2], 2.5);
}
