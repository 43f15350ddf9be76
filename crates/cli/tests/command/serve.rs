//! `procession serve`: who may use it, and how it ends.

use crate::ran::run;
use crate::served::{KEY, Served, key_file};
use procession::manager::{Manager, ManagerError, Queue, Semaphore};
use procession_testkit::guard;
use rustix::process::Signal;
use std::fs;
use std::os::unix::fs::PermissionsExt;

#[test]
fn it_refuses_to_serve_other_machines_without_a_key() {
    let _guard = guard();
    for address in ["0.0.0.0:0", ":0"] {
        let ran = run(&["serve", "--bind", address]);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(ran.errors.contains("without an authkey") && ran.lines.is_empty(), "{ran:?}");
    }
}

#[test]
fn it_serves_the_queues_of_the_tutorial_until_it_is_told_to_end() {
    let _guard = guard();
    for (name, signal) in [("int", Signal::INT), ("term", Signal::TERM)] {
        let served = Served::start(&format!("serve-{name}"), None, &[]);
        assert!(
            served.first.starts_with("serving get_task_queue=Queue, get_result_queue=Queue at ")
        );
        let manager = served.manager();
        for name in ["get_task_queue", "get_result_queue"] {
            let queue: Queue<u32> = manager.get(name).unwrap();
            queue.put(&5).unwrap();
            assert_eq!(queue.get().unwrap(), 5);
        }
        served.signal(signal);
        let (code, said, errors) = served.ended();
        assert_eq!((code, errors.as_str()), (Some(0), ""), "{said}");
        assert!(said.starts_with("ended: "), "{said}");
    }
}

#[test]
fn a_client_may_end_it() {
    let _guard = guard();
    let served = Served::start("serve-shutdown", None, &[]);
    served.manager().shutdown().unwrap();
    let (code, _, errors) = served.ended();
    assert_eq!((code, errors.as_str()), (Some(0), ""));
}

#[test]
fn it_has_the_names_that_it_is_given_and_no_others() {
    let _guard = guard();
    let names = ["--register", "small=Queue:1", "--register", "permits=Semaphore:2"];
    let served = Served::start("serve-names", None, &names);
    let manager = served.manager();
    let small: Queue<u32> = manager.get("small").unwrap();
    small.put(&1).unwrap();
    assert!(matches!(small.try_put(&2), Err(ManagerError::Full)));
    let permits: Semaphore = manager.get("permits").unwrap();
    let _two = (permits.permit().unwrap(), permits.permit().unwrap());
    assert!(permits.try_permit().unwrap().is_none());
    assert!(manager.get::<Queue<u32>>("get_task_queue").is_err());
    served.signal(Signal::TERM);
    assert_eq!(served.ended().0, Some(0));
    for wrong in ["nothing", "a=Oven", "a=Queue:many"] {
        let ran = run(&["serve", "--register", wrong]);
        assert!(ran.code.is_some_and(|code| code != 0) && ran.lines.is_empty(), "{ran:?}");
    }
}

#[test]
fn the_key_is_the_file_without_its_last_newline() {
    let _guard = guard();
    let served = Served::start("serve-key", None, &[]);
    for wrong in ["", "abc\n", "ab"] {
        assert!(Manager::connect(&served.address, wrong).unwrap_err().is_refused());
    }
    assert!(Manager::connect(&served.address, KEY).is_ok());
    served.signal(Signal::TERM);
    served.ended();
}

#[test]
fn a_key_that_others_may_read_is_complained_of_and_none_is_refused() {
    let _guard = guard();
    let open = key_file("serve-open", KEY);
    fs::set_permissions(&open, fs::Permissions::from_mode(0o644)).expect("it is ours");
    let ran = run(&["serve", "--bind", "256.0.0.1:1", "--authkey-file", open.to_str().unwrap()]);
    assert!(ran.errors.contains("others may read the key file"), "{ran:?}");
    let empty = key_file("serve-empty", "\n");
    let ran = run(&["serve", "--bind", "127.0.0.1:0", "--authkey-file", empty.to_str().unwrap()]);
    assert!(ran.code == Some(1) && ran.errors.contains("is empty"), "{ran:?}");
    let ran = run(&["serve", "--authkey-file", "/nonexistent/key"]);
    assert!(ran.code == Some(1) && ran.errors.contains("/nonexistent/key"), "{ran:?}");
}
