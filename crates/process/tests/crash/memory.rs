//! Deaths in the arena, in the ledger, at a burial, and at a value.

use crate::scene::Part::{Bystander, Putter};
use crate::scene::{Scene, Stage, warm_up};
use procession_ipc::{Array, Event, Queue, Value};
use procession_process::{Fork, Process, Signal, StartMethod, fork};
use procession_shm::family;
use procession_sys::Deadline;
use procession_sys::leave::leave;
use procession_sys::pidfd::Pidfd;
use procession_testkit::guard_after;

const SMALL: (usize, bool) = (40, false);

fn makes_events(stage: Stage) {
    stage.arm();
    let _kept: Vec<_> = (0..10_000).map(|_| Event::new().unwrap()).collect();
}

fn drops_events(stage: Stage) {
    let kept: Vec<_> = (0..300).map(|_| Event::new().unwrap()).collect();
    stage.arm();
    drop(kept);
}

/// More memory lies idle than was ever used at once: it goes back to the system.
fn drops_large_arrays(stage: Stage) {
    stage.arm();
    for megabytes in [20, 24, 28] {
        drop(Array::<u8>::zeroed(megabytes << 20).unwrap());
    }
}

fn puts_large(stage: Stage) {
    stage.arm();
    stage.put_until_dead(100, |_| (100_000, false));
}

fn puts_gifts(stage: Stage) {
    stage.arm();
    stage.put_until_dead(100, |_| (40, true));
}

fn starts_processes(stage: Stage) {
    stage.arm();
    for _ in 0..3 {
        Process::spawn(|()| (), ()).unwrap().join().unwrap();
    }
}

/// Forks, with much in hand, and dies in that.
fn forks(stage: Stage) {
    let _kept: Vec<_> = (0..300).map(|_| Event::new().unwrap()).collect();
    stage.arm();
    if matches!(fork().unwrap(), Fork::Child) {
        leave(0);
    }
}

/// The fork is killed before it belongs to the family; then this process dies too.
fn forks_what_dies_at_once(stage: Stage) {
    let _kept: Vec<_> = (0..300).map(|_| Event::new().unwrap()).collect();
    stage.arm();
    match fork().unwrap() {
        Fork::Child => leave(0),
        Fork::Parent(pid) => {
            let end = Pidfd::open(pid).unwrap().reap(Deadline::never()).unwrap().unwrap();
            assert_eq!(end.signal(), Some(Signal::KILL));
            die();
        }
    }
}

/// Buries a child of its own, which held much and had asked for a child itself.
fn buries(stage: Stage) {
    let child = Process::builder().start_method(StartMethod::Fork).spawn(holds_much, 5);
    let child = child.unwrap();
    stage.arm();
    let _ = child.join();
    drop(child);
}

fn holds_much(generations: u32) {
    let queue = Queue::new().unwrap();
    for _ in 0..20 {
        queue.put(&Event::new().unwrap()).unwrap();
    }
    let _kept = (queue, Array::<u8>::zeroed(100_000).unwrap());
    if generations > 0 {
        family().unwrap().reserve().unwrap();
    }
    die();
}

fn die() -> ! {
    Pidfd::open(std::process::id() as i32).unwrap().send_signal(Signal::KILL).unwrap();
    unreachable!("killed");
}

fn scene(point: &'static str, victim: fn(Stage)) -> Scene {
    Scene { point, passing: 1, part: Bystander, notes: SMALL, victim }
}

#[test]
fn the_arena_is_whole_after_a_death_at_any_of_its_steps() {
    let _guard = guard_after(warm_up);
    for scene in [
        scene("arena.take.after_claim", makes_events),
        Scene { part: Putter, ..scene("arena.take.after_claim", puts_large) },
        scene("arena.new.before_commit", makes_events),
        scene("arena.give.before_unlock", drops_events),
        scene("arena.give.after_punch", drops_large_arrays),
    ] {
        scene.play();
    }
}

#[test]
fn what_a_member_killed_in_the_ledger_held_goes_back() {
    let _guard = guard_after(warm_up);
    for scene in [
        scene("ledger.hold.before_count", makes_events),
        scene("ledger.hold.before_unlock", makes_events),
        Scene { passing: 200, ..scene("ledger.hold.before_unlock", makes_events) },
        scene("ledger.let_go.before_entry", drops_events),
        Scene { passing: 200, ..scene("ledger.let_go.before_entry", drops_events) },
        Scene { part: Putter, ..scene("ledger.list.before_flag", puts_gifts) },
        scene("ledger.reserve.after_claim", starts_processes),
        scene("ledger.reserve.after_claim", forks),
        scene("ledger.adopt.before_alive", forks_what_dies_at_once),
        scene("ledger.adopt.before_start", forks_what_dies_at_once),
    ] {
        scene.play();
    }
}

#[test]
fn a_burial_whose_burier_is_killed_is_finished_by_another() {
    let _guard = guard_after(warm_up);
    for scene in [
        scene("ledger.bury.after_holdings", buries),
        scene("ledger.bury.before_end", buries),
        scene("ledger.orphan.before_reserver", buries),
        scene("ledger.vacate.before_reserver", buries),
    ] {
        let seats = || family().unwrap().members().len();
        let before = seats();
        scene.play();
        procession_testkit::wait_until("no seat is left over", || {
            family().unwrap().look_for_deaths();
            seats() == before
        });
    }
}

fn sets((stage, value): (Stage, Value<[u64; 64]>)) {
    stage.arm();
    value.set([2; 64]);
}

#[test]
fn a_value_whose_writer_is_killed_has_its_old_content() {
    let _guard = guard_after(warm_up);
    let value = Value::new([1_u64; 64]).unwrap();
    let (queue, done) = (Queue::new().unwrap(), Value::new(0).unwrap());
    let stage = Stage::new("value.write.before_commit", &queue, &done);
    let victim = Process::spawn(sets, (stage, value.clone())).unwrap();
    assert!(victim.join().unwrap_err().is_peer_dead());
    assert_eq!(value.get(), [1; 64]);
    value.set([3; 64]);
    assert_eq!(value.get(), [3; 64]);
}
