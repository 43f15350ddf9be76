//! Where a server can be.

use crate::raw::{Raw, Said, control};
use crate::running::{Running, builder};
use procession_manager::server::BindError;
use procession_manager::transport::Address;
use procession_testkit::guard;
use procession_wire::value::Value;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

/// A path for a socket, which no other test has.
fn path(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("procession-{}-{name}", std::process::id()));
    assert!(!path.exists());
    path
}

#[test]
fn a_servers_path_is_there_as_long_as_the_server() {
    let _guard = guard();
    let path = path("lifetime");
    let server = Running::start(builder(), path.to_str().unwrap());
    assert_eq!(control(&server.address, "dummy", &[]), Said::Returned(Value::None));
    drop(server);
    assert!(!path.exists());
}

#[test]
fn a_path_that_a_dead_server_left_is_taken_over_and_that_of_a_living_one_is_not() {
    let _guard = guard();
    let path = path("takeover");
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    let server = Running::start(builder(), path.to_str().unwrap());
    let refused = builder().bind(&Address::Unix(path.clone())).unwrap_err();
    assert!(matches!(refused, BindError::Listen(..)), "{refused}");
    Raw::stock(&server.address);
}

#[test]
fn a_port_that_is_taken_is_refused() {
    let _guard = guard();
    let server = Running::tcp();
    let refused = builder().bind(&server.address).unwrap_err();
    assert!(refused.to_string().starts_with(&format!("cannot listen on {}", server.address)));
}

#[test]
fn a_registered_object_is_one_for_all_and_stays_without_references() {
    let _guard = guard();
    let server = Running::tcp();
    let mut first = Raw::ours(&server.address);
    let queue = first.create("get_task_queue", &[]);
    first.call(&queue, "put", &["kept".into()]);
    drop(first);
    let mut second = Raw::ours(&server.address);
    assert_eq!(second.create("get_task_queue", &[]), queue);
    assert_ne!(second.create("get_result_queue", &[]), queue);
    assert_eq!(second.call(&queue, "get", &[]), "kept".into());
}

#[test]
fn arguments_that_do_not_fit_are_told_before_there_is_a_server() {
    let _guard = guard();
    let wrong = builder().register("wrong", procession_manager::Type::Barrier, vec![0.into()]);
    let refused = wrong.bind(&"127.0.0.1:0".parse().unwrap()).unwrap_err();
    let text = "cannot register \"wrong\": Barrier says ValueError: parties must be >= 1";
    assert_eq!(refused.to_string(), text);
}
