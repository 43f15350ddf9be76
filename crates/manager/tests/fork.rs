//! A fork has both processes use a manager, and none takes the other's. A process that forks has one thread, so this is no
//! test of the usual harness.

use procession_manager::client::{List, Lock, Manager, Queue, RLock};
use procession_manager::server::Server;
use procession_sys::fork::{Fork, fork};
use procession_testkit::guard;
use rustix::process::{Pid, Signal, kill_process};
use std::process::{Command, exit};

/// Set in the process that forks.
const BODY: &str = "PROCESSION_TEST_FORK";

fn main() {
    if std::env::var_os(BODY).is_some() {
        return both_use_a_manager_and_none_takes_the_others();
    }
    let _guard = guard();
    let me = std::env::current_exe().expect("it runs");
    let status = Command::new(me).env(BODY, "1").status().expect("it runs again");
    assert!(status.success(), "{status}");
    println!("test both_use_a_manager_and_none_takes_the_others ... ok");
}

/// A child, which is killed where the test fails.
struct Child(i32);

impl Child {
    fn join(self) {
        let status = Fork::Parent(self.0).join().expect("it is our child");
        assert_eq!(status.expect("this is the parent").exitcode(), 0);
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let pid = Pid::from_raw(self.0).expect("it is a process");
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

/// Has a child do something, and end.
fn in_child(act: impl FnOnce()) -> Child {
    match fork().expect("there is one thread") {
        Fork::Parent(pid) => Child(pid),
        Fork::Child => {
            act();
            exit(0)
        }
    }
}

fn both_use_a_manager_and_none_takes_the_others() {
    let server = Server::builder().authkey("secret");
    let server = server.bind(&"127.0.0.1:0".parse().unwrap()).unwrap();
    let address = server.address().clone();
    let serving = in_child(|| server.run().unwrap());

    let manager = Manager::connect(&address, "secret").unwrap();
    let queue: Queue<String> = manager.queue().unwrap();
    let list: List<u8> = manager.list([1, 2]).unwrap();
    let (lock, recursive): (Lock, RLock) = (manager.lock().unwrap(), manager.rlock().unwrap());
    let held = lock.lock().unwrap();
    let _mine = recursive.lock().unwrap();
    let objects = manager.number_of_objects().unwrap();

    let mut held = Some(held);
    let child_list = list.clone();
    let child = in_child(|| {
        queue.put(&"from the child".to_owned()).unwrap();
        // The parent has them, also after a copy of its guard is dropped.
        drop(held.take());
        assert!(lock.try_lock().unwrap().is_none());
        assert!(!recursive.try_acquire().unwrap());
        // What the child makes is its own, and ends with it; what it drops of the parent's stays.
        let _own = manager.dict([(1, 2)]).unwrap();
        assert_eq!(manager.number_of_objects().unwrap(), objects + 1);
        drop(child_list);
        assert_eq!(list.len().unwrap(), 2);
    });
    child.join();
    drop(held);
    queue.put(&"from the parent".to_owned()).unwrap();
    assert_eq!(queue.get_many(5).unwrap(), ["from the child", "from the parent"]);
    assert_eq!(list.to_vec().unwrap(), [1, 2]);
    assert!(recursive.try_lock().unwrap().is_some());
    manager.shutdown().unwrap();
    serving.join();
}
