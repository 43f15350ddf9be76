//! Bad input and scarce resources: typed errors that say what to do.
//!
//! Limits are set for a process of their own: the test starts its own binary again, under a shell's
//! `ulimit` or with another environment, and asks for the `#[ignore]`d half of the pair.

use procession::subprocess::{Command, run};
use procession::{Array, Error, Pool, Process, Queue, Value};
use procession_testkit::{guard, guard_after};

/// Runs the ignored test `name` of this binary in a shell that has run `limits` first.
fn in_shell(limits: &str, name: &str) {
    let binary = std::env::current_exe().unwrap();
    let script = format!("{limits}\nexec \"$0\" --exact {name} --ignored --nocapture");
    let shell = Command::new("sh").arg("-c").arg(script).arg(&binary).capture_output();
    let ended = run(shell).unwrap();
    let (out, err) =
        (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert!(ended.status.success(), "{name}: {}\n{out}\n{err}", ended.status);
    assert!(out.contains("1 passed"), "{name} did not run:\n{out}");
}

#[test]
fn a_full_arena_is_an_error_and_has_room_again_later() {
    let _guard = guard();
    in_shell("export PROCESSION_ARENA=16M", "with_a_small_arena");
}

#[test]
#[ignore = "runs in a process of its own, with a small arena"]
fn with_a_small_arena() {
    let queue = Queue::<Vec<u8>>::new().unwrap();
    let item = vec![1_u8; 1 << 20];
    let mut put = 0;
    let error = loop {
        match queue.put(&item) {
            Ok(()) => put += 1,
            Err(error) => break error,
        }
    };
    assert!(error.is_out_of_memory(), "{error}");
    assert!(error.to_string().contains("PROCESSION_ARENA"), "{error}");
    assert!((5..16).contains(&put), "{put} MiB fit into 16");
    for _ in 0..put {
        assert_eq!(queue.get().unwrap().len(), item.len());
    }
    for _ in 0..100 {
        queue.put(&item).unwrap();
        queue.get().unwrap();
    }
    let small = Queue::<u64>::new().unwrap();
    let error = loop {
        if let Err(error) = small.put_many(0..100_000_u64) {
            break error.1;
        }
    };
    assert!(error.is_out_of_memory(), "{error}");
    assert!(Array::<u64>::zeroed(4 << 20).unwrap_err().is_out_of_memory());
    drop(small);
    let kept = Array::<u64>::zeroed(1 << 20).unwrap();
    assert_eq!(kept.len(), 1 << 20);
}

#[test]
fn everything_works_with_64_descriptors() {
    let _guard = guard();
    in_shell("ulimit -n 64", "with_64_descriptors");
}

#[test]
#[ignore = "runs in a process of its own, with 64 descriptors"]
fn with_64_descriptors() {
    let queues: Vec<Queue<usize>> = (0..100).map(|_| Queue::new().unwrap()).collect();
    let locks: Vec<_> = (0..300).map(|_| procession::Lock::new().unwrap()).collect();
    let values: Vec<_> = (0..300_u32).map(|n| Value::new(n).unwrap()).collect();
    type All = (Vec<Queue<usize>>, Vec<procession::Lock>, Vec<Value<u32>>);
    let process = Process::spawn(
        |(queues, locks, values): All| {
            for (n, queue) in queues.iter().enumerate() {
                queue.put(&n).unwrap();
            }
            assert!(locks.iter().all(|lock| lock.try_acquire()));
            values.iter().map(|value| u64::from(value.get())).sum::<u64>()
        },
        (queues.clone(), locks, values),
    )
    .unwrap();
    assert_eq!(process.join().unwrap(), (0..300).sum::<u64>());
    for (n, queue) in queues.iter().enumerate() {
        assert_eq!(queue.get().unwrap(), n);
    }
    let pool = Pool::new(4).unwrap();
    assert_eq!(pool.map(|n: u64| n + 1, 0..100).unwrap().len(), 100);
    drop(pool);
    // Until no descriptor is left: an error that says so, and all works again afterwards.
    let mut taken = Vec::new();
    while let Ok(file) = std::fs::File::open("/dev/null") {
        taken.push(file);
    }
    let error = Process::spawn(|_: ()| (), ()).unwrap_err();
    let text = error.to_string().to_lowercase();
    assert!(text.contains("descriptor") || text.contains("open files"), "{text}");
    taken.clear();
    Process::spawn(|_: ()| (), ()).unwrap().join().unwrap();
}

#[test]
fn no_descriptor_for_the_arena_is_an_error_that_names_the_limit() {
    let _guard = guard();
    in_shell("ulimit -n 16", "without_a_descriptor");
}

#[test]
#[ignore = "runs in a process of its own, without descriptors"]
fn without_a_descriptor() {
    let mut taken = Vec::new();
    while let Ok(file) = std::fs::File::open("/dev/null") {
        taken.push(file);
    }
    let error = Queue::<u8>::new().unwrap_err();
    assert!(error.to_string().contains("ulimit -n"), "{error}");
    taken.clear();
    assert!(Queue::<u8>::new().is_ok());
}

#[test]
fn a_limited_address_space_still_has_room_for_an_arena() {
    let _guard = guard();
    in_shell("ulimit -v 4000000", "with_little_address_space");
}

#[test]
#[ignore = "runs in a process of its own, with a limited address space"]
fn with_little_address_space() {
    let queue = Queue::new().unwrap();
    queue.put(&1_u8).unwrap();
    assert_eq!(queue.get().unwrap(), 1);
}

#[test]
fn no_address_space_at_all_is_an_error_that_names_the_limit() {
    let _guard = guard();
    in_shell("ulimit -v 65000", "with_no_address_space");
}

#[test]
#[ignore = "runs in a process of its own, with hardly any address space"]
fn with_no_address_space() {
    let error = Queue::<u8>::new().map(drop).unwrap_err();
    assert!(error.to_string().contains("ulimit -v"), "{error}");
}

#[test]
fn a_size_that_is_no_size_is_named() {
    let _guard = guard();
    in_shell("export PROCESSION_ARENA=lots", "with_a_bad_size");
}

#[test]
#[ignore = "runs in a process of its own, with a bad setting"]
fn with_a_bad_size() {
    let error = Error::from(Queue::<u8>::new().unwrap_err());
    assert!(error.to_string().contains("PROCESSION_ARENA=\"lots\""), "{error}");
}

#[test]
fn arguments_that_do_not_decode_fail_one_call() {
    let _guard = guard_after(|| Process::spawn(|_: ()| (), ()).unwrap().join().unwrap());
    #[derive(serde::Serialize)]
    struct Never;
    impl<'de> serde::Deserialize<'de> for Never {
        fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
            Err(serde::de::Error::custom("on purpose"))
        }
    }
    let process = Process::spawn(|_: Never| (), Never);
    let error = process.map_or_else(|error| error, |process| process.join().unwrap_err());
    assert!(error.to_string().contains("Never"), "{error}");
}
