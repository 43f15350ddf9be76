//! What the members of the family do until they are stopped or killed.

use crate::board::{Board, Count};
use crate::note;
use crate::random::Random;
use procession::sync::MutexError;
use procession::{
    Array, Connection, Event, Lock, Mutex, Pool, PoolError, Process, Semaphore, Value, duplex,
};
use procession_ipc::byte_queue::{ByteQueue, Got};
use procession_ipc::message::Objects;
use procession_shm::Kind;
use procession_sys::Deadline;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A wait that takes so long is a hang.
pub(crate) const HANG: Duration = Duration::from_secs(30);
/// More items than this in the queue, and its putters rest.
const PLENTY: u64 = 3000;

/// What a member is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Role {
    Producer,
    Consumer,
    Locker,
    Writer,
    Pooler,
    Spawner,
    /// Puts one message when it is told to.
    Echo,
}

/// What all members share.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Shared {
    pub(crate) board: Board,
    pub(crate) queue: ByteQueue,
    pub(crate) orders: ByteQueue,
    pub(crate) stop: Event,
    pub(crate) mutex: Mutex<[u64; 8]>,
    pub(crate) lock: Lock,
    pub(crate) permits: Semaphore,
    pub(crate) array: Array<u64>,
    pub(crate) value: Value<[u64; 16]>,
}

/// What a member is started with.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Seed {
    pub(crate) role: Role,
    pub(crate) seat: usize,
    /// Which process of the run it is.
    pub(crate) id: u64,
    pub(crate) random: u64,
    pub(crate) shared: Shared,
}

/// The life of a member.
pub(crate) fn live(seed: Seed) {
    let mut random = Random::new(seed.random);
    if seed.role == Role::Consumer {
        return consume(&seed);
    }
    if seed.role == Role::Echo {
        return echo(&seed, &mut random);
    }
    let mut bytes = Vec::new();
    let mut round = 0;
    while !seed.shared.stop.is_set() {
        match seed.role {
            Role::Producer => produce(&seed, &mut random, &mut bytes, round),
            Role::Locker => take_locks(&seed.shared),
            Role::Writer => write_array(&seed.shared),
            Role::Pooler => run_pool(&seed.shared, &mut random),
            _ => spawn(&seed.shared),
        }
        round += 1;
    }
}

fn produce(seed: &Seed, random: &mut Random, bytes: &mut Vec<u8>, place: u64) {
    let shared = &seed.shared;
    while shared.queue.len() > PLENTY || shared.board.is_crowded() {
        if shared.stop.wait_timeout(Duration::from_millis(1)) {
            return;
        }
    }
    note::write(bytes, seed.id, place, random);
    let family = procession_shm::family().expect("a family");
    let gift = random.once_in(50).then(|| family.make(Kind::Event, 64, 1, |_| Ok(())));
    let gift = gift.transpose().expect("an object");
    let mut gifts = Objects::default();
    gift.iter().for_each(|gift| gifts.add(gift).expect("objects of one family"));
    note::put(&shared.queue, bytes, &gifts).expect("a put");
    shared.board.seat(seed.seat).acknowledged.store(place + 1, std::sync::atomic::Ordering::SeqCst);
}

fn consume(seed: &Seed) {
    let shared = &seed.shared;
    let seat = shared.board.seat(seed.seat);
    let claim = Some(shared.board.claim_at(seed.seat));
    let mut bytes = Vec::new();
    loop {
        let got = match shared.queue.get(&mut bytes, claim, Deadline::never()) {
            Ok(got) => got,
            Err(error) if error.is_closed() => return,
            Err(error) => {
                eprintln!("a get: {error}");
                return shared.board.add(Count::Failed);
            }
        };
        let number = seat.claimed().expect("who has got an item has claimed it");
        let read = match &got {
            Got::Message { .. } => note::read(&bytes),
            Got::Parcel(parcel) => note::read(parcel.bytes()),
        };
        match read {
            Some((putter, place)) => shared.board.record(number, putter, place),
            None => shared.board.add(Count::Corrupt),
        }
    }
}

/// Puts one note for each order.
fn echo(seed: &Seed, random: &mut Random) {
    let shared = &seed.shared;
    let mut bytes = Vec::new();
    let mut place = 0;
    while shared.orders.get(&mut bytes, None, Deadline::never()).is_ok() {
        note::write(&mut bytes, seed.id, place, random);
        note::put(&shared.queue, &bytes, &Objects::default()).expect("a put");
        place += 1;
        let seat = shared.board.seat(seed.seat);
        seat.acknowledged.store(place, std::sync::atomic::Ordering::SeqCst);
    }
}

fn take_locks(shared: &Shared) {
    let board = &shared.board;
    match shared.mutex.lock_timeout(HANG) {
        Ok(mut guard) => {
            if guard.iter().any(|word| *word != guard[0]) {
                board.add(Count::Torn);
            }
            guard.iter_mut().for_each(|word| *word += 1);
        }
        Err(MutexError::OwnerDied(died)) => {
            board.add(Count::OwnerDied);
            *died.recover() = [0; 8];
        }
        Err(_) => board.add(Count::Failed),
    }
    board.add(Count::Locks);
    // Whoever is killed with it leaves it locked: the parent frees it then.
    if shared.lock.acquire_timeout(Duration::from_millis(1)) {
        let _ = shared.lock.release();
    }
    // The permit of whoever is killed with it is gone.
    if shared.permits.acquire_timeout(Duration::from_millis(1)) {
        board.add(Count::Permits);
        let _ = shared.permits.release();
    }
    let value = shared.value.update(|value| value.map(|word| word + 1));
    if value.iter().any(|word| *word != value[0]) {
        board.add(Count::Torn);
    }
    board.add(Count::Values);
}

fn write_array(shared: &Shared) {
    let board = &shared.board;
    match shared.array.lock_timeout(HANG) {
        Ok(mut guard) => {
            if guard.owner_died() {
                board.add(Count::OwnerDied);
                guard.fill(0);
                guard.recover();
            }
            let first = guard[0];
            if guard.iter().any(|element| *element != first) {
                board.add(Count::Torn);
            }
            guard.iter_mut().for_each(|element| *element = first + 1);
        }
        Err(_) => board.add(Count::Failed),
    }
    board.add(Count::Arrays);
}

fn run_pool(shared: &Shared, random: &mut Random) {
    let pool = Pool::new(2).expect("a pool");
    let base = random.below(1000);
    let results: Vec<_> =
        (0..200).map(|n| pool.apply_async(|n: u64| n * n, base + n).expect("a task")).collect();
    for (n, result) in (base..).zip(results) {
        match result.get_timeout(HANG) {
            Ok(square) if square == n * n => shared.board.add(Count::Tasks),
            Err(PoolError::WorkerLost(_)) => shared.board.add(Count::TasksLost),
            other => {
                eprintln!("a task: {other:?}");
                shared.board.add(Count::Failed);
            }
        }
    }
}

/// Has a child, and a letter from it, which comes or does not come, but is not waited for in vain.
fn spawn(shared: &Shared) {
    let (ours, theirs) = duplex().expect("a pipe");
    let child = Process::spawn(
        |(value, pipe, n): (Value<[u64; 16]>, Connection<u64>, u64)| {
            let _ = pipe.send(&n);
            value.get()[0] + n
        },
        (shared.value.clone(), theirs, 1),
    );
    match ours.recv_timeout(HANG) {
        Ok(1) => shared.board.add(Count::Letters),
        Err(error) if error.is_closed() => {}
        other => {
            eprintln!("a letter: {other:?}");
            shared.board.add(Count::Failed);
        }
    }
    match child.and_then(|child| child.join_timeout(HANG)) {
        Ok(_) => shared.board.add(Count::Spawned),
        Err(error) if error.is_peer_dead() => shared.board.add(Count::TasksLost),
        Err(error) => {
            eprintln!("a child: {error}");
            shared.board.add(Count::Failed);
        }
    }
}
