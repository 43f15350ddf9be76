//! Python processes of a Rust program. Needs an interpreter with the package, which
//! `PROCESSION_TEST_PYTHON` names; `cargo xtask test` does. Without it nothing is tested here.

use procession::{
    Array, Event, JoinableQueue, Lock, Mutex, Process, ProcessBuilder, Queue, Semaphore, Signal,
    Value,
};
use procession_process::Error;
use procession_testkit::{guard_after, wait_until};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The settings for a Python process of the tests.
fn python() -> ProcessBuilder {
    let modules = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python");
    let interpreter = std::env::var_os("PROCESSION_TEST_PYTHON").expect("looked at before");
    Process::builder().interpreter(interpreter).env("PYTHONPATH", modules)
}

fn call<R: DeserializeOwned>(function: &str, arguments: impl Serialize) -> Result<R, Error> {
    python().python(&format!("workers:{function}"), arguments)?.join()
}

macro_rules! tests {
    ($($name:ident)*) => { $(
        #[test]
        fn $name() {
            if std::env::var_os("PROCESSION_TEST_PYTHON").is_none() {
                eprintln!("skipped: PROCESSION_TEST_PYTHON names no interpreter");
                return;
            }
            let _guard = guard_after(|| {
                Process::spawn(|()| (), ()).unwrap().join().unwrap();
                call::<()>("nothing", ()).unwrap();
            });
            list::$name();
        }
    )* };
}

tests! {
    plain_data_goes_and_comes_back
    a_tuple_is_the_arguments_and_anything_else_is_one
    an_exception_comes_as_a_value
    a_result_that_cannot_be_mapped_is_an_error_with_its_place
    ends_without_a_result_are_told
    what_is_not_there_is_named
    a_queue_speaks_pickle_once_python_has_it
    locks_values_and_arrays_are_the_same_in_both
    an_object_that_python_has_not_is_refused_with_its_place
    settings_reach_the_interpreter
    a_killed_python_gives_back_what_it_held_and_nobody_else_ends
    a_joinable_queue_is_joined_by_rust
    a_process_that_python_starts_is_in_the_family
    a_python_process_ends_with_a_killed_parent
}

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
struct Order {
    number: i64,
    word: String,
}

fn order(number: i64) -> Order {
    Order { number, word: "w".into() }
}

mod list {
    use super::*;

    pub(super) fn plain_data_goes_and_comes_back() {
        type Data = (Option<u8>, bool, i128, f64, String, Vec<Order>, (u8, char));
        let data: Data =
            (None, true, 1 << 100, 0.5, "ü".into(), vec![order(1), order(2)], (1, 'c'));
        assert_eq!(call::<Data>("same", (data.clone(),)).unwrap(), data);
        let large = "x".repeat(1 << 20);
        assert_eq!(call::<String>("same", &large).unwrap(), large);
    }

    pub(super) fn a_tuple_is_the_arguments_and_anything_else_is_one() {
        assert_eq!(call::<i64>("add", (40, 2)).unwrap(), 42);
        assert_eq!(call::<Vec<String>>("types", ()).unwrap(), [""; 0]);
        assert_eq!(call::<Vec<String>>("types", 5).unwrap(), ["int"]);
        assert_eq!(call::<Vec<String>>("types", vec![5]).unwrap(), ["list"]);
        assert_eq!(call::<Vec<String>>("types", order(1)).unwrap(), ["dict"]);
        assert_eq!(
            call::<Vec<String>>("types", ("a", 1.5, [1])).unwrap(),
            ["str", "float", "tuple"]
        );
    }

    pub(super) fn an_exception_comes_as_a_value() {
        let process = python().name("doomed").python::<_, ()>("workers:boom", ()).unwrap();
        let error = process.join().unwrap_err();
        let Error::Raised { raised, .. } = &error else { panic!("{error}") };
        assert_eq!((raised.class(), raised.message()), ("ValueError", "boom"));
        assert!(raised.traceback().contains("in boom\n"), "{}", raised.traceback());
        assert!(error.to_string().starts_with("process `doomed`"));
        assert!(error.to_string().ends_with("raised ValueError: boom"));
        assert_eq!(process.exitcode(), Some(1));
    }

    pub(super) fn a_result_that_cannot_be_mapped_is_an_error_with_its_place() {
        let error = call::<(u8, std::collections::HashMap<String, u8>)>("date", ()).unwrap_err();
        let reason = std::error::Error::source(&error).unwrap().to_string();
        assert!(reason.contains("[1].when: datetime.date cannot be mapped"), "{reason}");
        let error = call::<()>("unpicklable", ()).unwrap_err();
        assert!(matches!(error, Error::Failed { .. }), "{error}");
    }

    pub(super) fn ends_without_a_result_are_told() {
        let error = call::<()>("leave", 7).unwrap_err();
        assert!(matches!(error, Error::Exited { code: 7, .. }), "{error}");
        let error = call::<()>("kill_self", ()).unwrap_err();
        assert!(matches!(error, Error::Killed { signal: Signal::KILL, .. }), "{error}");
    }

    pub(super) fn what_is_not_there_is_named() {
        let error = call::<()>("missing", ()).unwrap_err().to_string();
        assert!(error.contains("raised AttributeError") && error.contains("missing"), "{error}");
        let error = python().python::<_, ()>("no_module:f", ()).unwrap().join().unwrap_err();
        assert!(error.to_string().contains("ModuleNotFoundError"), "{error}");
        let error = python().python::<_, ()>("workers", ()).unwrap().join().unwrap_err();
        assert!(error.to_string().contains("write module:function"), "{error}");
        let error = python().interpreter("no-such-python").python::<_, ()>("workers:f", ());
        assert!(matches!(error, Err(Error::Start { .. })), "{error:?}");
    }

    pub(super) fn a_queue_speaks_pickle_once_python_has_it() {
        let orders = Queue::<Option<Order>>::new().unwrap();
        let results = Queue::<Order>::new().unwrap();
        let arguments = (orders.clone(), results.clone());
        let process = python().python::<_, usize>("workers:serve", arguments).unwrap();
        for number in 0..100 {
            orders.put(&Some(order(number))).unwrap();
        }
        orders.put(&None).unwrap();
        for number in 0..100 {
            let expected = Order { number: number * 2, word: "W".into() };
            assert_eq!(results.get().unwrap(), expected);
        }
        assert_eq!(process.join().unwrap(), 100);
    }

    pub(super) fn locks_values_and_arrays_are_the_same_in_both() {
        let (lock, event) = (Lock::new().unwrap(), Event::new().unwrap());
        let (value, semaphore) = (Value::new(5_i64).unwrap(), Semaphore::new(0).unwrap());
        let array = Array::new(&[1.0, 2.0, 3.0]).unwrap();
        let arguments = (&lock, &value, &array, &event, &semaphore);
        let process = python().python::<_, Vec<f64>>("workers:touch", arguments).unwrap();
        semaphore.acquire();
        event.wait();
        assert_eq!(process.join().unwrap(), [1.0, 2.5, 3.0]);
        assert_eq!((value.get(), array.to_vec()), (1005, vec![1.0, 2.5, 3.0]));
        assert!(lock.try_acquire());
        lock.release().unwrap();
    }

    pub(super) fn an_object_that_python_has_not_is_refused_with_its_place() {
        let mutex = Mutex::new(5_u32).unwrap();
        let error = python().python::<_, ()>("workers:same", (1, [mutex])).unwrap_err();
        let reason = std::error::Error::source(&error).unwrap().to_string();
        assert!(reason.contains(".arguments[1][0]: Python has no counterpart"), "{reason}");
        assert!(procession::active_children().is_empty());
    }

    pub(super) fn settings_reach_the_interpreter() {
        let builder = python().name("settled").env("COLOUR", "red").current_dir("/");
        let told =
            builder.python::<_, (String, String, String)>("workers:name_and_variable", "COLOUR");
        let told = told.unwrap().join().unwrap();
        assert_eq!(told, ("settled".into(), "red".into(), "/".into()));
    }

    pub(super) fn a_killed_python_gives_back_what_it_held_and_nobody_else_ends() {
        let (lock, ready) = (Lock::recovering().unwrap(), Event::new().unwrap());
        let process = python().python::<_, ()>("workers:hold", (&lock, &ready)).unwrap();
        let queue = Queue::<i32>::new().unwrap();
        let other = python().python::<_, ()>("workers:sleep_for_ever", &queue).unwrap();
        ready.wait();
        queue.get().unwrap();
        assert!(!lock.try_acquire());
        process.kill().unwrap();
        let error = process.join().unwrap_err();
        assert!(error.is_peer_dead(), "{error}");
        lock.acquire();
        assert!(lock.owner_died());
        lock.release().unwrap();
        assert!(other.is_alive());
        other.terminate().unwrap();
        let error = other.join().unwrap_err();
        assert!(matches!(error, Error::Killed { signal: Signal::TERM, .. }), "{error}");
    }

    pub(super) fn a_joinable_queue_is_joined_by_rust() {
        let queue = JoinableQueue::<u8>::new().unwrap();
        let process = python().python::<_, ()>("workers:declare_done", &queue).unwrap();
        queue.put_many([1, 2, 3]).unwrap();
        queue.join().unwrap();
        process.join().unwrap();
    }

    pub(super) fn a_process_that_python_starts_is_in_the_family() {
        let queue = Queue::<String>::new().unwrap();
        assert_eq!(call::<i32>("child_of_mine", &queue).unwrap(), 0);
        assert_eq!(queue.get().unwrap(), "from a child");
    }

    pub(super) fn a_python_process_ends_with_a_killed_parent() {
        let pids = Queue::<i32>::new().unwrap();
        let parent = Process::spawn(
            |pids: Queue<i32>| {
                let child = python().python::<_, ()>("workers:sleep_for_ever", &pids).unwrap();
                child.join().unwrap();
            },
            pids.clone(),
        );
        let parent = parent.unwrap();
        let pid = pids.get().unwrap();
        parent.kill().unwrap();
        parent.join().unwrap_err();
        wait_until("Python has ended with its parent", || {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
            stat.map_or(true, |stat| stat.contains(") Z "))
        });
    }
}
