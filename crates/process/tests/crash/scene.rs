//! One victim that dies at a named step, one witness that works on, and a parent that counts.

use procession_ipc::{Event, Queue, Value};
use procession_process::{Error, Process, Signal};
use procession_shm::{Handle, family};
use procession_testkit::fact::holds_within;
use serde::{Deserialize, Serialize};
use std::time::Duration;

pub(crate) const PARENT: u8 = 1;
pub(crate) const VICTIM: u8 = 2;
const STOP: u8 = 0;
/// How many notes the parent puts before the death, and as many after it.
const HALF: u64 = 60;
/// A wait that takes so long is a hang.
const HANG: Duration = Duration::from_secs(60);

/// A numbered message that shows whether it arrived whole.
#[derive(Serialize, Deserialize)]
pub(crate) struct Note {
    from: u8,
    number: u64,
    body: Vec<u8>,
    gift: Option<Event>,
}

impl Note {
    /// A note of `size` bytes, with a shared object in it if `gift`.
    pub(crate) fn new(from: u8, number: u64, size: usize, gift: bool) -> Self {
        let body = vec![(number as u8) ^ from; size];
        Self { from, number, body, gift: gift.then(|| Event::new().unwrap()) }
    }

    pub(crate) fn is_number(&self, number: u64) -> bool {
        self.number == number
    }

    pub(crate) fn is_whole(&self) -> bool {
        let byte = (self.number as u8) ^ self.from;
        self.gift.as_ref().is_none_or(|gift| !gift.is_set())
            && self.body.iter().all(|found| *found == byte)
    }
}

/// What the victim is given.
#[derive(Serialize, Deserialize)]
pub(crate) struct Stage {
    point: String,
    passing: u64,
    pub(crate) queue: Queue<Note>,
    /// How many puts or gets the victim has come back from.
    pub(crate) done: Value<u64>,
}

impl Stage {
    pub(crate) fn new(point: &str, queue: &Queue<Note>, done: &Value<u64>) -> Self {
        Self { point: point.to_owned(), passing: 1, queue: queue.clone(), done: done.clone() }
    }

    /// From here on the named step is deadly.
    pub(crate) fn arm(&self) {
        procession_sys::crash::arm(&self.point, self.passing);
    }

    /// Puts notes, of the size and with the gift that `note` says, until it dies.
    pub(crate) fn put_until_dead(&self, most: u64, note: impl Fn(u64) -> (usize, bool)) {
        for number in 0..most {
            let (size, gift) = note(number);
            self.queue.put(&Note::new(VICTIM, number, size, gift)).unwrap();
            self.done.store(number + 1);
        }
    }

    /// Gets notes until it dies.
    pub(crate) fn get_until_dead(&self) {
        while let Ok(note) = self.queue.get_timeout(Duration::ZERO) {
            assert!(note.is_whole());
            self.done.update(|done| done + 1);
        }
    }
}

/// Which part the victim has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// It puts, beside a witness that gets.
    Putter,
    /// It gets, while nobody else does; so many notes that it had not come back with are gone.
    Getter { lost: u64 },
    /// It puts and gets nothing.
    Bystander,
}

/// One death.
pub(crate) struct Scene {
    pub(crate) point: &'static str,
    pub(crate) passing: u64,
    pub(crate) part: Part,
    /// Size of the parent's notes, and whether they carry a shared object.
    pub(crate) notes: (usize, bool),
    pub(crate) victim: fn(Stage),
}

impl Scene {
    /// Plays it, and shows that nothing of anybody else was lost, torn or doubled, and that the arena
    /// got its memory back.
    pub(crate) fn play(&self) {
        let point = self.point;
        let memory = Memory::now();
        self.deaths_and_counts();
        memory.is_back(point);
    }

    pub(crate) fn deaths_and_counts(&self) {
        let point = self.point;
        let queue = Queue::new().unwrap();
        let seen = Queue::new().unwrap();
        let done = Value::new(0).unwrap();
        let witness = || Process::spawn(witness, (queue.clone(), seen.clone())).unwrap();
        let early = (self.part == Part::Putter).then(witness);
        let put = |number| {
            queue.put(&Note::new(PARENT, number, self.notes.0, self.notes.1)).unwrap();
        };
        (0..HALF).for_each(put);
        let stage = Stage { passing: self.passing, ..Stage::new(point, &queue, &done) };
        let victim = Process::spawn(self.victim, stage).unwrap();
        match victim.join_timeout(HANG) {
            Err(Error::Killed { signal: Signal::KILL, .. }) => {}
            other => panic!("the victim did not pass {point}: {other:?}"),
        }
        let witness = early.unwrap_or_else(witness);
        (HALF..2 * HALF).for_each(put);
        queue.put(&Note::new(STOP, 0, 0, false)).unwrap();
        let mut next = [0_u64; 3];
        if let Part::Getter { lost } = self.part {
            next[usize::from(PARENT)] = done.load() + lost;
        }
        loop {
            let (from, number, is_whole) = seen.get_timeout(HANG).expect(point);
            if from == STOP {
                break;
            }
            assert!(is_whole, "{point}: note {number} of {from} is torn");
            let next = &mut next[usize::from(from)];
            assert_eq!(number, *next, "{point}: of {from}, lost or doubled");
            *next += 1;
        }
        witness.join_timeout(HANG).expect(point);
        assert_eq!(next[usize::from(PARENT)], 2 * HALF, "{point}: the last notes are missing");
        if self.part == Part::Putter {
            let (put, done) = (next[usize::from(VICTIM)], done.load());
            assert!((done..=done + 1).contains(&put), "{point}: {done} put, {put} arrived");
        }
        assert!(queue.empty(), "{point}");
    }
}

/// Tells what it gets, until it is told to stop.
fn witness((queue, seen): (Queue<Note>, Queue<(u8, u64, bool)>)) {
    loop {
        let note = queue.get().unwrap();
        seen.put(&(note.from, note.number, note.is_whole())).unwrap();
        if note.from == STOP {
            return;
        }
    }
}

/// What this process makes once and keeps: its zygote, and the block that lists what it holds.
pub(crate) fn warm_up() {
    let event = Event::new().unwrap();
    Process::spawn(drop::<Event>, event).unwrap().join().unwrap();
}

/// The blocks that are in use.
pub(crate) struct Memory {
    used: u64,
    blocks: Vec<Handle>,
}

impl Memory {
    pub(crate) fn now() -> Self {
        let arena = family().unwrap().arena();
        Self { used: arena.usage().0, blocks: arena.blocks().map(|block| block.handle).collect() }
    }

    /// Waits until no more is in use than there was.
    pub(crate) fn is_back(&self, after: &str) {
        let is_back = || {
            family().unwrap().look_for_deaths();
            family().unwrap().arena().usage().0 == self.used
        };
        if !holds_within(Duration::from_secs(20), is_back) {
            let arena = family().unwrap().arena();
            let left: Vec<_> =
                arena.blocks().filter(|block| !self.blocks.contains(&block.handle)).collect();
            let members = family().unwrap().members();
            panic!(
                "after {after}, {} in place of {}: {left:#?} {members:?}",
                arena.usage().0,
                self.used
            );
        }
    }
}
