//! The parent's side: members are started, killed, asked what they had, and replaced.

use crate::board::{Board, Count};
use crate::member::{HANG, Role, Seed, Shared, live};
use crate::random::Random;
use crate::report::Report;
use procession::{Array, Event, Lock, Mutex, Process, Semaphore, Signal, Value, sync::Holder};
use procession_ipc::byte_queue::{Bounds, ByteQueue};
use procession_testkit::fact::holds_within;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering::SeqCst;

/// How many may be inside at a time; each locker that is killed there takes one along.
const PERMITS: u32 = 1000;

/// A member, as the parent knows it.
struct Member {
    role: Role,
    id: u64,
    process: Process<()>,
}

/// All members, and what they share.
pub(crate) struct Crew {
    shared: Shared,
    members: Vec<Member>,
    /// How many puts of each producer had returned when it ended.
    acknowledged: BTreeMap<u64, u64>,
    /// Numbers of the items that a dead consumer had taken and not recorded.
    lost: Vec<u64>,
    random: Random,
    last_id: u64,
    lockers_killed: u32,
}

fn share(bounds: Bounds) -> Result<Shared, Box<dyn std::error::Error>> {
    Ok(Shared {
        board: Board::new()?,
        queue: ByteQueue::new(bounds)?,
        orders: ByteQueue::new(Bounds::default())?,
        stop: Event::new()?,
        mutex: Mutex::new([0; 8])?,
        lock: Lock::new()?,
        permits: Semaphore::new(PERMITS)?,
        array: Array::zeroed(4096)?,
        value: Value::new([0; 16])?,
    })
}

impl Crew {
    pub(crate) fn new(roles: &[Role], bounds: Bounds, seed: u64) -> Self {
        let shared = share(bounds).expect("shared objects");
        let mut crew = Self {
            shared,
            members: Vec::new(),
            acknowledged: BTreeMap::new(),
            lost: Vec::new(),
            random: Random::new(seed),
            last_id: 0,
            lockers_killed: 0,
        };
        for (seat, role) in roles.iter().enumerate() {
            let member = crew.start(seat, *role);
            crew.members.push(member);
        }
        crew
    }

    pub(crate) fn random(&mut self) -> &mut Random {
        &mut self.random
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    pub(crate) fn len(&self) -> usize {
        self.members.len()
    }

    pub(crate) fn process(&self, seat: usize) -> &Process<()> {
        &self.members[seat].process
    }

    pub(crate) fn lost(&self) -> usize {
        self.lost.len()
    }

    fn start(&mut self, seat: usize, role: Role) -> Member {
        self.shared.board.clear_seat(seat);
        self.last_id += 1;
        let seed = Seed {
            role,
            seat,
            id: self.last_id,
            random: self.random.next(),
            shared: self.shared.share(),
        };
        Member { role, id: self.last_id, process: Process::spawn(live, seed).expect("a member") }
    }

    /// Kills a member, books what died with it, and starts another in its place.
    pub(crate) fn kill(&mut self, seat: usize, report: &mut Report) {
        let process = &self.members[seat].process;
        process.kill().expect("kill");
        match process.join_timeout(HANG) {
            Err(error) if error.is_peer_dead() && tells_kill(process, report) => {
                report.killed(self.members[seat].role);
            }
            Err(error) if error.is_timeout() => report.violation("a killed member does not end"),
            // It had ended by itself, which no member does before it is told to.
            other => report.violation(&format!("{:?}: {other:?}", self.members[seat].role)),
        }
        self.settle(seat, report);
        let role = self.members[seat].role;
        self.lockers_killed += u32::from(role == Role::Locker);
        self.members[seat] = self.start(seat, role);
    }

    /// Books what a member that has ended had put and taken.
    fn settle(&mut self, seat: usize, report: &mut Report) {
        let member = &self.members[seat];
        let board = &self.shared.board;
        if matches!(member.role, Role::Producer | Role::Echo) {
            let count = board.seat(seat).acknowledged.load(SeqCst);
            self.acknowledged.insert(member.id, count);
        }
        if member.role == Role::Consumer {
            self.shared.queue.settle_getters();
            let claimed = board.seat(seat).claimed();
            if let Some(number) = claimed.filter(|number| board.recorded(*number).is_none()) {
                self.lost.push(number);
                report.lost(number, member.process.pid());
            }
        }
        if member.role == Role::Locker && self.shared.lock.holder() == Some(Holder::Gone) {
            let _ = self.shared.lock.release();
            report.locks_freed += 1;
        }
    }

    pub(crate) fn signal(&self, seat: usize, signal: Signal) {
        self.members[seat].process.signal(signal).expect("a signal");
    }

    /// Lets everybody finish, and checks the books.
    pub(crate) fn finish(mut self, report: &mut Report) {
        self.shared.stop.set();
        self.shared.orders.shut();
        self.join(report, |role| role != Role::Consumer);
        let queue = ByteQueue::of(self.shared.queue.held().clone());
        if !holds_within(HANG, || queue.is_empty()) {
            report.violation(&format!("{} items are not got", queue.len()));
        }
        queue.shut();
        self.join(report, |role| role == Role::Consumer);
        self.check(report);
    }

    fn join(&mut self, report: &mut Report, which: impl Fn(Role) -> bool) {
        for seat in 0..self.members.len() {
            let member = &self.members[seat];
            if !which(member.role) {
                continue;
            }
            if let Err(error) = member.process.join_timeout(HANG) {
                report.violation(&format!("{:?} does not end well: {error}", member.role));
                eprintln!("{}", procession_testkit::family::picture());
                let _ = member.process.kill();
            }
            self.settle(seat, report);
        }
    }

    /// Every item either arrived once or was in the hand of a consumer that was killed; every put
    /// that returned is among them, and at most one more of each producer.
    fn check(&self, report: &mut Report) {
        let board = &self.shared.board;
        // Nobody declares an item done.
        let put = self.shared.queue.unfinished();
        let mut places: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        for number in 1..=put {
            match board.recorded(number) {
                Some((putter, place)) => places.entry(putter).or_default().push(place),
                None if self.lost.contains(&number) => {}
                None => report.violation(&format!("item {number} is lost, and nobody had it")),
            }
        }
        let mut missing = 0;
        for (putter, acknowledged) in &self.acknowledged {
            let mut arrived = places.remove(putter).unwrap_or_default();
            if !arrived.is_sorted() {
                report.violation(&format!("the items of {putter} are not in their order"));
            }
            arrived.dedup();
            let begun = arrived.last().map_or(0, |last| last + 1);
            if begun > acknowledged + 1 {
                report.violation(&format!("{putter} has put {begun}, not {acknowledged}"));
            }
            missing += begun.max(*acknowledged) - arrived.len() as u64;
            report.acknowledged += acknowledged;
        }
        if !places.is_empty() {
            report.violation("items of nobody");
        }
        if missing > self.lost.len() as u64 {
            report.violation(&format!(
                "{missing} items are missing, {} are known lost",
                self.lost.len()
            ));
        }
        let permits = self.shared.permits.value();
        if !(PERMITS - self.lockers_killed..=PERMITS).contains(&permits) {
            report.violation(&format!("{permits} permits of {PERMITS} are left"));
        }
        report.take(board);
        for (what, count) in [
            ("doubled", Count::Doubled),
            ("corrupt", Count::Corrupt),
            ("torn", Count::Torn),
            ("failed", Count::Failed),
        ] {
            if board.count(count) > 0 {
                report.violation(&format!("{} {what}", board.count(count)));
            }
        }
    }
}

/// Whether it is known that the process was killed; or that nobody knows how it ended, which may be where a
/// zygote was killed and the kernel (before Linux 6.15) keeps nothing.
fn tells_kill(process: &Process<()>, report: &Report) -> bool {
    match process.exitcode() {
        Some(-9) => true,
        Some(255) => report.zygotes > 0,
        _ => false,
    }
}

impl Shared {
    /// Other handles to the same objects.
    fn share(&self) -> Self {
        let same = |queue: &ByteQueue| ByteQueue::of(queue.held().clone());
        Self {
            board: self.board.clone(),
            queue: same(&self.queue),
            orders: same(&self.orders),
            stop: self.stop.clone(),
            mutex: self.mutex.clone(),
            lock: self.lock.clone(),
            permits: self.permits.clone(),
            array: self.array.clone(),
            value: self.value.clone(),
        }
    }
}
