//! A process is held up at a step, or cannot look; what it does or believes then must harm nobody.

use crate::scene::warm_up;
use procession_ipc::{Event, Queue};
use procession_process::{Fork, Process, Signal, fork};
use procession_shm::{Ended, Kind, MemberId, MemberInfo, MemberState, family};
use procession_sys::Deadline;
use procession_sys::crash::arm_stop;
use procession_sys::leave::leave;
use procession_sys::pid::milliseconds;
use procession_sys::pidfd::Pidfd;
use procession_testkit::family::Member;
use procession_testkit::{guard_after, wait_until};
use std::fs::File;
use std::process::Command;

/// Milliseconds.
const TICK: u64 = 10;

/// A process that has stopped; goes on when this is dropped, also by a test that fails.
struct Late(Pidfd);

impl Late {
    fn when_stopped(pid: i32) -> Self {
        let late = Self(Pidfd::open(pid).unwrap());
        wait_until("the process has stopped", || {
            Member::read(pid).is_some_and(|member| member.state == 'T')
        });
        late
    }
}

impl Drop for Late {
    fn drop(&mut self) {
        let _ = self.0.send_signal(Signal::CONT);
    }
}

/// Has a child that stops before it takes its seat, and tells its pid.
fn has_a_late_child((pids, end): (Queue<i32>, Event)) {
    arm_stop("ledger.adopt.before_alive", 1);
    match fork().unwrap() {
        Fork::Child => leave(0),
        Fork::Parent(pid) => pids.put(&pid).unwrap(),
    }
    end.wait();
}

fn waits(end: Event) {
    end.wait();
}

#[test]
fn who_comes_late_for_a_seat_leaves_its_next_process_alone() {
    let _guard = guard_after(warm_up);
    let family = family().unwrap();
    let (pids, end) = (Queue::new().unwrap(), Event::new().unwrap());
    let parent = Process::spawn(has_a_late_child, (pids.clone(), end.clone())).unwrap();
    let late = Late::when_stopped(pids.get().unwrap());
    let is_reserved = |member: &MemberInfo| member.state == MemberState::Reserved;
    let seat = family.members().into_iter().find(is_reserved).unwrap().id;
    parent.kill().unwrap();
    assert!(parent.join().unwrap_err().is_peer_dead());
    assert_eq!(family.state(seat), MemberState::Free);

    // The ledger tells processes apart by when they started, which the kernel counts in ticks.
    let now = milliseconds();
    wait_until("the kernel's clock has ticked", || milliseconds() > now + TICK);
    let has_seat = |member: &MemberInfo| member.id.seat() == seat.seat();
    let mut others = Vec::new();
    let next = loop {
        others.push(Process::spawn(waits, end.clone()).unwrap());
        if let Some(next) = family.members().into_iter().find(has_seat) {
            break next.id;
        }
    };
    let pid = others.last().unwrap().pid();
    wait_until("the next process has the seat", || family.pid_of(next) == Some(pid as u32));
    late.0.send_signal(Signal::CONT).unwrap();
    late.0.wait_ended(Deadline::never()).unwrap();
    // It is ours by now if tests here adopt orphans, and else init's.
    assert_eq!(family.pid_of(next), Some(pid as u32));
    assert!(family.is_alive(next), "it would be buried alive");
    end.set();
    others.iter().for_each(|other| other.join().unwrap());
}

fn tells_late(whose: MemberId) {
    arm_stop("ledger.ended.before_word", 1);
    family().unwrap().set_ended(whose, Ended { status: Some(9) });
}

#[test]
fn an_end_that_is_told_late_is_not_taken_for_that_of_the_next_process() {
    let _guard = guard_after(warm_up);
    let family = family().unwrap();
    let first = family.reserve().unwrap();
    let teller = Process::spawn(tells_late, first).unwrap();
    let late = Late::when_stopped(teller.pid());
    family.release(first);
    let next = family.reserve().unwrap();
    assert_eq!(next.seat(), first.seat());
    drop(late);
    teller.join().unwrap();
    assert_eq!(family.ended(next), None);
    family.release(next);
}

/// Runs the ignored test `name` of this file in a shell that has run `limits` first.
fn in_shell(limits: &str, name: &str) {
    let program = std::env::current_exe().unwrap();
    let script = format!("{limits}; exec \"$0\" --exact late::{name} --ignored --nocapture");
    let output = Command::new("sh").args(["-c", &script]).arg(program).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{output:?}");
}

#[test]
fn a_process_without_a_free_descriptor_takes_nobody_for_dead() {
    let _guard = guard_after(warm_up);
    in_shell("ulimit -n 64", "without_a_free_descriptor");
}

#[test]
#[ignore = "runs in a process of its own, with 64 descriptors"]
fn without_a_free_descriptor() {
    let end = Event::new().unwrap();
    let child = Process::spawn(waits, end.clone()).unwrap();
    let members = family().unwrap().members();
    let files: Vec<_> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
    let alive = members.iter().filter(|member| family().unwrap().is_alive(member.id)).count();
    assert!(!files.is_empty());
    drop(files);
    // This process, its zygote, the child.
    assert_eq!((members.len(), alive), (3, 3));
    end.set();
    child.join().unwrap();
}

/// Forks while the arena has no room for the list of what the child inherits.
fn forks_without_room(end: Event) {
    let family = family().unwrap();
    let seats = || family.members().len();
    let before = seats();
    let mut len = 32 << 20;
    while len > 0 {
        if family.take(Kind::Part, len).is_err() {
            len /= 2;
        }
    }
    match fork().unwrap() {
        Fork::Child => leave(0),
        Fork::Parent(pid) => Pidfd::open(pid).unwrap().reap(Deadline::never()).unwrap(),
    };
    assert_eq!(seats(), before);
    end.set();
}

#[test]
fn a_fork_for_which_there_is_no_room_leaves_no_seat() {
    let _guard = guard_after(warm_up);
    in_shell("export PROCESSION_ARENA=64M", "with_a_small_arena");
}

#[test]
#[ignore = "runs in a process of its own, with a small arena"]
fn with_a_small_arena() {
    let end = Event::new().unwrap();
    let _ = Process::spawn(forks_without_room, end.clone()).unwrap().join();
    assert!(end.is_set());
}
