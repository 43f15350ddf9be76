//! Stock CPython as client and worker of our server.

use crate::raw::Raw;
use crate::running::{KEY, Running};
use procession_testkit::guard;
use procession_testkit::interpreters::{Interpreter, interpreters};
use procession_wire::value::Value;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

fn peer(interpreter: &Interpreter) -> Command {
    let program: PathBuf =
        [env!("CARGO_MANIFEST_DIR"), "tests", "interop", "peer.py"].iter().collect();
    let mut command = interpreter.command();
    command.arg(program).stdin(Stdio::null());
    command
}

fn said(output: &Output) -> String {
    let (said, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}\n{said}\n{complained}", output.status);
    said.into_owned()
}

/// Everything that `peer.py` knows, with the right key and with a wrong one.
fn every_case(version: (u32, u32)) {
    let Some(interpreter) = interpreters().iter().find(|it| it.version == version) else {
        eprintln!("skipped: there is no CPython {}.{} here", version.0, version.1);
        return;
    };
    let server = Running::tcp();
    let key = String::from_utf8_lossy(KEY).into_owned();
    let client = peer(interpreter).arg("client").args(server.words()).arg(key).output().unwrap();
    assert_eq!(said(&client).lines().last(), Some("done"));
    assert!(server.counters.read().calls > 0);
    let refused = peer(interpreter).arg("refused").args(server.words()).output().unwrap();
    assert_eq!(said(&refused), "ok refused\nok in-time\n");
    assert_eq!(server.counters.read().refused, 1);
}

#[test]
fn workers_of_every_version_share_one_queue_of_tasks() {
    let _guard = guard();
    let server = Running::tcp();
    let mut master = Raw::ours(&server.address);
    let (tasks, results) =
        (master.create("get_task_queue", &[]), master.create("get_result_queue", &[]));
    let key = String::from_utf8_lossy(KEY).into_owned();
    let worker = |it| peer(it).arg("worker").args(server.words()).arg(&key).spawn().unwrap();
    let workers: Vec<_> = interpreters().iter().map(worker).collect();
    let numbers = 0..20 * workers.len();
    for number in numbers.clone() {
        master.call(&tasks, "put", &[number.into()]);
    }
    let mut products: Vec<_> =
        numbers.clone().map(|_| master.call(&results, "get", &[]).to_string()).collect();
    let product = |number| format!("'{number} * {number} = {}'", number * number);
    let mut expected: Vec<_> = numbers.map(product).collect();
    products.sort_unstable();
    expected.sort_unstable();
    assert_eq!(products, expected);
    for _ in &workers {
        master.call(&tasks, "put", &[Value::None]);
    }
    for mut worker in workers {
        assert!(worker.wait().unwrap().success());
    }
}

macro_rules! versions {
    ($($name:ident $version:expr,)*) => {$(
        #[test]
        fn $name() {
            let _guard = guard();
            every_case($version);
        }
    )*};
}

versions! {
    cpython_3_8_finds_what_its_own_server_would_give (3, 8),
    cpython_3_9_finds_what_its_own_server_would_give (3, 9),
    cpython_3_10_finds_what_its_own_server_would_give (3, 10),
    cpython_3_11_finds_what_its_own_server_would_give (3, 11),
    cpython_3_12_finds_what_its_own_server_would_give (3, 12),
    cpython_3_13_finds_what_its_own_server_would_give (3, 13),
    cpython_3_14_finds_what_its_own_server_would_give (3, 14),
}
