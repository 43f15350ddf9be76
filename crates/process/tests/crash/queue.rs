//! Deaths in a queue.

use crate::scene::Part::{Bystander, Getter, Putter};
use crate::scene::{self, Note, Scene, Stage, VICTIM};
use procession_ipc::{Error, JoinableQueue, Queue, wait};
use procession_process::Process;
use procession_sys::crash::arm;
use procession_testkit::{guard_after, wait_until};
use serde::{Deserialize, Serialize};
use std::time::Duration;

const SMALL: (usize, bool) = (40, false);
const LARGE: (usize, bool) = (100_000, false);
const GIFT: (usize, bool) = (40, true);
/// Five of them fill a chunk.
const WIDE: (usize, bool) = (50_000, false);

fn puts_small(stage: Stage) {
    stage.arm();
    stage.put_until_dead(1000, |_| SMALL);
}

fn puts_large(stage: Stage) {
    stage.arm();
    stage.put_until_dead(100, |_| LARGE);
}

fn puts_wide(stage: Stage) {
    stage.arm();
    stage.put_until_dead(1000, |_| WIDE);
}

/// One note at a time, so that the witness sleeps before the next.
fn puts_slowly(stage: Stage) {
    stage.arm();
    stage.put_until_dead(1000, |_| {
        wait_until("the witness has taken all", || stage.queue.empty());
        SMALL
    });
}

/// Nobody takes them meanwhile: the map of chunks grows.
fn puts_many_wide(stage: Stage) {
    let own = Queue::new().unwrap();
    stage.arm();
    let mut stage = stage;
    stage.queue = own;
    stage.put_until_dead(1000, |_| WIDE);
}

fn gets(stage: Stage) {
    stage.arm();
    stage.get_until_dead();
}

fn put(point: &'static str, victim: fn(Stage)) -> Scene {
    Scene { point, passing: 1, part: Putter, notes: SMALL, victim }
}

fn get(point: &'static str, lost: u64, notes: (usize, bool)) -> Scene {
    Scene { point, passing: 1, part: Getter { lost }, notes, victim: gets }
}

/// As all, and the zygote has noted once what it holds while it buries one that was handing over.
fn warm_up() {
    scene::warm_up();
    get("gate.handover.before_commit", 0, LARGE).deaths_and_counts();
}

#[test]
fn a_putter_killed_at_any_step_takes_nothing_of_others_with_it() {
    let _guard = guard_after(warm_up);
    for scene in [
        put("queue.put.after_write", puts_small),
        put("queue.put.before_commit", puts_small),
        put("queue.put.after_commit", puts_small),
        put("queue.put.before_wake", puts_small),
        put("queue.put_fast.after_write", puts_small),
        put("queue.put_fast.before_wake", puts_small),
        put("queue.put.before_handover", puts_large),
        put("gate.handover.before_commit", puts_large),
        put("gate.handover.after_commit", puts_large),
        put("gate.handover.before_unlock", puts_large),
        put("queue.chunk.before_adopt", puts_wide),
        put("queue.chunk.after_adopt", puts_wide),
        put("event_count.wake.before_futex", puts_slowly),
        Scene { part: Bystander, ..put("queue.map.before_publish", puts_many_wide) },
    ] {
        scene.play();
    }
}

#[test]
fn a_getter_killed_at_any_step_takes_no_more_than_what_it_has_committed() {
    let _guard = guard_after(warm_up);
    for scene in [
        get("queue.get.before_commit", 0, SMALL),
        get("queue.get.after_commit", 1, SMALL),
        get("queue.get.before_wake", 1, SMALL),
        get("queue.get_fast.before_commit", 0, SMALL),
        get("queue.get_fast.before_wake", 1, SMALL),
        get("queue.get.before_handover", 0, LARGE),
        get("gate.handover.before_commit", 0, LARGE),
        get("gate.handover.after_commit", 1, LARGE),
        get("gate.handover.before_unlock", 1, LARGE),
        get("gate.handover.before_commit", 0, GIFT),
        get("gate.handover.after_commit", 1, GIFT),
        get("ledger.unlist.after_flag", 1, GIFT),
        get("ledger.hold.before_count", 1, GIFT),
        get("ledger.hold.before_unlock", 1, GIFT),
        get("queue.trim.before_commit", 1, WIDE),
    ] {
        scene.play();
    }
}

/// Uses all chunks up and begins one again, at which it dies.
fn begins_a_used_chunk(stage: Stage) {
    for number in 0..12 {
        stage.queue.put(&Note::new(VICTIM, number, WIDE.0, false)).unwrap();
        assert!(stage.queue.get().unwrap().is_whole());
    }
    stage.arm();
    stage.put_until_dead(100, |_| WIDE);
}

#[test]
fn a_used_chunk_that_a_killed_putter_began_is_used_once() {
    let _guard = guard_after(warm_up);
    for point in ["queue.chunk.before_adopt", "queue.chunk.after_adopt"] {
        let queue: Queue<Note> = Queue::new().unwrap();
        let done = procession_ipc::Value::new(0).unwrap();
        let stage = Stage::new(point, &queue, &done);
        let victim = Process::spawn(begins_a_used_chunk, stage).unwrap();
        assert_eq!(victim.join().map_err(|error| error.is_peer_dead()), Err(true));
        let left = queue.qsize() as u64;
        // Several chunks, none of which may lie in another.
        for number in left..left + 40 {
            queue.put(&Note::new(VICTIM, number, WIDE.0, false)).unwrap();
        }
        for number in 0..left + 40 {
            let note = queue.get_timeout(Duration::from_secs(60)).unwrap();
            assert!(note.is_whole() && note.is_number(number), "{point}: note {number}");
        }
    }
}

/// Puts one note after the other while its parent polls.
fn rings(stage: Stage) {
    stage.arm();
    stage.put_until_dead(1000, |_| {
        wait_until("the note was taken", || stage.queue.empty());
        SMALL
    });
}

#[test]
fn who_polls_sees_an_item_whose_putter_was_killed_before_it_rang() {
    let _guard = guard_after(warm_up);
    let queue: Queue<Note> = Queue::new().unwrap();
    let done = procession_ipc::Value::new(0).unwrap();
    let stage = Stage::new("bell.ring.after_take", &queue, &done);
    let victim = Process::spawn(rings, stage).unwrap();
    let mut got = 0;
    while victim.is_alive() || !queue.empty() {
        let ready = wait(&[&queue, &victim], Some(Duration::from_secs(60))).unwrap();
        assert!(!ready.is_empty(), "nothing within a minute");
        while let Ok(note) = queue.try_get() {
            assert!(note.is_whole() && note.is_number(got));
            got += 1;
        }
    }
    assert!(victim.join().unwrap_err().is_peer_dead());
    assert!((done.load()..=done.load() + 1).contains(&got), "{got} of {}", done.load());
    assert!(got > done.load(), "the note that was rung for is there");
}

/// What is given to somebody who dies at a step of getting, declaring done or joining.
#[derive(Serialize, Deserialize)]
struct Work {
    point: String,
    items: JoinableQueue<Vec<u8>>,
}

impl Work {
    fn new(point: &str, items: &JoinableQueue<Vec<u8>>) -> Self {
        Self { point: point.to_owned(), items: items.clone() }
    }

    fn dies(self, at_it: fn(Self)) {
        let point = self.point.clone();
        let victim = Process::spawn(at_it, self).unwrap();
        let ended = victim.join_timeout(Duration::from_secs(60));
        assert!(ended.is_err_and(|error| error.is_peer_dead()), "{point} was not passed");
    }
}

fn takes_the_first(work: Work) {
    arm(&work.point, 1);
    work.items.get().unwrap();
}

fn takes_the_second(work: Work) {
    work.items.get().unwrap();
    arm(&work.point, 1);
    work.items.get().unwrap();
}

fn declares_one_of_two_done(work: Work) {
    assert_eq!(work.items.get_many(2).unwrap().len(), 2);
    arm(&work.point, 1);
    work.items.task_done().unwrap();
}

fn joins(work: Work) {
    arm(&work.point, 1);
    work.items.join().unwrap();
}

fn losses(items: &JoinableQueue<Vec<u8>>) -> usize {
    match items.join_timeout(Duration::from_secs(60)) {
        Ok(()) => 0,
        Err(Error::ItemsLost { count }) => count,
        Err(error) => panic!("{error}"),
    }
}

fn warm_up_joins() {
    warm_up();
    let items = JoinableQueue::new().unwrap();
    items.put(&vec![0]).unwrap();
    Work::new("queue.get.after_commit", &items).dies(takes_the_first);
    assert_eq!(losses(&items), 1);
}

#[test]
fn a_join_tells_exactly_what_a_getter_killed_at_any_step_had_in_hand() {
    let _guard = guard_after(warm_up_joins);
    let memory = scene::Memory::now();
    for (point, size, dies, left, lost) in [
        ("queue.tally.before_publish", 40, takes_the_first as fn(Work), 5, 0),
        ("queue.get.before_commit", 40, takes_the_first, 5, 0),
        ("queue.get.after_commit", 40, takes_the_first, 4, 1),
        ("queue.get.before_wake", 40, takes_the_first, 4, 1),
        ("queue.get_fast.before_commit", 40, takes_the_second, 4, 1),
        ("queue.get_fast.before_wake", 40, takes_the_second, 3, 2),
        ("queue.get.before_handover", 100_000, takes_the_second, 4, 1),
        ("gate.handover.before_commit", 100_000, takes_the_second, 4, 1),
        ("gate.handover.after_commit", 100_000, takes_the_second, 3, 2),
        ("gate.handover.before_unlock", 100_000, takes_the_second, 3, 2),
        ("queue.task_done.before_commit", 40, declares_one_of_two_done, 3, 2),
        ("queue.task_done.after_commit", 40, declares_one_of_two_done, 3, 1),
        ("queue.task_done.before_wake", 40, declares_one_of_two_done, 3, 1),
    ] {
        let items = JoinableQueue::new().unwrap();
        (0..5).for_each(|_| items.put(&vec![7_u8; size]).unwrap());
        Work::new(point, &items).dies(dies);
        if lost > 0 {
            assert_eq!(losses(&items), lost, "{point}");
        }
        assert_eq!((items.qsize(), items.unfinished()), (left, left), "{point}");
        for _ in 0..left {
            assert_eq!(items.try_get().unwrap(), vec![7_u8; size], "{point}");
            items.task_done().unwrap();
        }
        assert_eq!(losses(&items), 0, "{point}");
        assert!(items.task_done().is_err(), "{point}");
        drop(items);
        memory.is_back(point);
    }
}

#[test]
fn losses_are_counted_once_whatever_happens_to_the_joiner_that_finds_them() {
    let _guard = guard_after(warm_up_joins);
    for (point, left_to_tell) in [("queue.join.before_commit", 1), ("queue.join.after_commit", 0)] {
        let items = JoinableQueue::new().unwrap();
        (0..2).for_each(|_| items.put(&vec![7_u8]).unwrap());
        Work::new("queue.get.after_commit", &items).dies(takes_the_first);
        Work::new(point, &items).dies(joins);
        items.get().unwrap();
        items.task_done().unwrap();
        assert_eq!(losses(&items), left_to_tell, "{point}");
        assert_eq!((losses(&items), items.unfinished()), (0, 0), "{point}");
    }
}
