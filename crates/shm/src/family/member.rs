//! Seats: who belongs to the family.

use super::Family;
use crate::Error;
use crate::arena::{Handle, MEMBERS, Member};
use procession_sys::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use procession_sys::{crash_point, futex, pid};
use serde::{Deserialize, Serialize};

const MEMBER: u64 = 1 << 31;

/// Who a member is: a seat of the ledger and how often it was given before. Eight bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MemberId(u64);

impl MemberId {
    fn new(seat: usize, generation: u32) -> Self {
        Self(u64::from(generation) << 32 | MEMBER | seat as u64)
    }

    /// From the number that [`MemberId::to_word`] gave.
    pub fn from_word(word: u64) -> Self {
        Self(word | MEMBER)
    }

    /// As a number; never 0.
    #[inline]
    pub fn to_word(self) -> u64 {
        self.0
    }

    /// The seat's number, 1 to 4095.
    #[inline]
    pub fn seat(self) -> u32 {
        self.0 as u32 & 0xffff
    }

    /// Who, in the 30 bits that the word of a lock has room for: the seat and the low bits of its
    /// generation. Never 0.
    #[inline]
    pub fn stamp(self) -> u32 {
        stamp(self.seat(), self.generation())
    }

    fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

const SEAT_BITS: u32 = 12;
const _: () = assert!(MEMBERS <= 1 << SEAT_BITS);

fn stamp(seat: u32, generation: u32) -> u32 {
    (generation << SEAT_BITS | seat) & ((1 << 30) - 1)
}

/// What a seat is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum MemberState {
    /// Nobody's.
    Free = 0,
    /// Made for a process that is about to start.
    Reserved = 1,
    /// Its process runs, as far as is known.
    Alive = 2,
    /// Its process has ended and what it held is being returned.
    Dying = 3,
    /// All is returned; whoever reserved it may still read how it ended.
    Ended = 4,
}

impl MemberState {
    fn from_bits(bits: u64) -> Self {
        match bits as u8 {
            1 => Self::Reserved,
            2 => Self::Alive,
            3 => Self::Dying,
            4 => Self::Ended,
            _ => Self::Free,
        }
    }
}

/// How a member ended: the status that `wait(2)` gave to whoever reaped it, or that nobody knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The wait status; `None` if somebody else reaped it and kept it.
    pub status: Option<i32>,
}

/// The word of a seat that is in this state, with the process in it; 0 before there is one.
///
/// Linux gives pids of 22 bits at most. The pid stands in this word so that the one step by which a process
/// takes its seat also says who it is. Whoever wrote the pid beside it, before that step or after, might
/// be held up until the seat is another's, who would be taken for dead then and buried alive.
fn seat_word(generation: u32, pid: u32, state: MemberState) -> u64 {
    u64::from(generation) << 32 | u64::from(pid) << PID_AT | state as u64
}

fn pid_in(word: u64) -> u32 {
    word as u32 >> PID_AT
}

const PID_AT: u32 = 8;

const ENDED: u32 = 1 << 31;
const UNKNOWN: u32 = 1 << 30;

/// The exit word of a process that has not ended. Each generation of a seat has its own, so that
/// whoever is held up while it tells the end of one process does not tell it of the next.
fn running(generation: u32) -> u32 {
    (generation & 0x3fff) << 16
}

impl Ended {
    fn to_word(self) -> u32 {
        self.status.map_or(ENDED | UNKNOWN, |status| ENDED | (status as u32 & 0xffff))
    }

    fn from_word(word: u32) -> Option<Self> {
        (word & ENDED != 0)
            .then(|| Self { status: (word & UNKNOWN == 0).then_some((word & 0xffff) as i32) })
    }
}

/// A member as others see it.
#[derive(Clone, Debug)]
pub struct MemberInfo {
    /// Who.
    pub id: MemberId,
    /// The process, 0 before it runs.
    pub pid: u32,
    /// In which state the seat is.
    pub state: MemberState,
    /// Its name, cut to 32 bytes.
    pub name: String,
}

impl Family {
    /// Makes a seat for a process that the caller is about to start.
    ///
    /// # Errors
    /// [`Error::TooManyMembers`], [`Error::OutOfMemory`].
    ///
    /// # If a process dies
    /// If the caller dies before the process has taken its seat, whoever buries the caller frees it.
    pub fn reserve(&self) -> Result<MemberId, Error> {
        self.seat_for(self.me().to_word(), MemberState::Reserved)
    }

    /// Tells the family that nobody will ask how this process ended: its seat is free as soon as it is
    /// buried. For a process that was not started by who reserved the seat, but by `fork` or by an
    /// interpreter.
    pub fn stand_alone(&self) {
        let me = self.me();
        if let Some(reserver) = self.reserver(me) {
            self.unreserve(me.seat() as usize, reserver.to_word());
        }
    }

    pub(super) fn seat_for(&self, reserver: u64, state: MemberState) -> Result<MemberId, Error> {
        let header = self.arena.header();
        for seat in 1..MEMBERS {
            self.commit_seat(seat)?;
            let member = self.arena.member(seat).expect("a seat below the table's end");
            let seen = member.state.load(Acquire);
            if MemberState::from_bits(seen) != MemberState::Free {
                continue;
            }
            // First, so that the seat is known to be the reserver's from before it is taken.
            if member.reserver.compare_exchange(0, reserver, AcqRel, Relaxed).is_err() {
                continue;
            }
            header.seats.fetch_max(seat as u64 + 1, AcqRel);
            let generation = ((seen >> 32) as u32).wrapping_add(1).max(1);
            let next = seat_word(generation, 0, state);
            if member.state.compare_exchange(seen, next, AcqRel, Relaxed).is_ok() {
                crash_point!("ledger.reserve.after_claim");
                member.exit.store(running(generation), Relaxed);
                member.parcel.store(0, Relaxed);
                member.start.store(0, Relaxed);
                return Ok(MemberId::new(seat, generation));
            }
            self.unreserve(seat, reserver);
        }
        Err(Error::TooManyMembers(MEMBERS - 1))
    }

    /// Makes a seat nobody's again that `reserver` had reserved.
    pub(super) fn unreserve(&self, seat: usize, reserver: u64) {
        if let Some(member) = self.arena.member(seat) {
            let _ = member.reserver.compare_exchange(reserver, 0, AcqRel, Relaxed);
        }
    }

    /// Who has a seat, or had it last, and in which state it is.
    pub(super) fn in_seat(&self, seat: usize) -> (MemberId, MemberState) {
        let state = self.arena.member(seat).map_or(0, |member| member.state.load(Acquire));
        (MemberId::new(seat, (state >> 32) as u32), MemberState::from_bits(state))
    }

    fn commit_seat(&self, seat: usize) -> Result<(), Error> {
        let header = self.arena.header();
        loop {
            let committed = header.members_committed.load(Acquire);
            if self.arena.member_end(seat) <= committed {
                return Ok(());
            }
            self.arena.commit_step(&header.members_committed, committed)?;
        }
    }

    pub(super) fn seat(&self, id: MemberId) -> Option<&'static Member> {
        self.arena
            .member(id.seat() as usize)
            .filter(|member| (member.state.load(Acquire) >> 32) as u32 == id.generation())
    }

    pub(super) fn change(&self, id: MemberId, from: MemberState, to: MemberState) -> bool {
        self.seat(id).is_some_and(|member| {
            let pid = pid_in(member.state.load(Acquire));
            let word = |state| seat_word(id.generation(), pid, state);
            member.state.compare_exchange(word(from), word(to), AcqRel, Relaxed).is_ok()
        })
    }

    /// In which state a member is; `Free` if the seat is another's by now.
    pub fn state(&self, id: MemberId) -> MemberState {
        self.seat(id)
            .map_or(MemberState::Free, |member| MemberState::from_bits(member.state.load(Acquire)))
    }

    /// The member that a [stamp](MemberId::stamp) names, if its process runs, as far as is known, or
    /// is about to.
    pub fn member_of_stamp(&self, named: u32) -> Option<MemberId> {
        let seat = named & ((1 << SEAT_BITS) - 1);
        let state = self.arena.member(seat as usize)?.state.load(Acquire);
        let generation = (state >> 32) as u32;
        let present =
            matches!(MemberState::from_bits(state), MemberState::Reserved | MemberState::Alive);
        (present && stamp(seat, generation) == named)
            .then(|| MemberId::new(seat as usize, generation))
    }

    /// The process of a member; `None` before it runs and when the seat is another's.
    pub fn pid_of(&self, id: MemberId) -> Option<u32> {
        let pid = self.seat(id).map_or(0, |member| pid_in(member.state.load(Acquire)));
        (pid != 0).then_some(pid)
    }

    /// Takes a reserved seat for this process. `false` if it was withdrawn; it may be another's then.
    pub(super) fn sit_down(&self, id: MemberId) -> bool {
        let Some(member) = self.seat(id) else { return false };
        let pid = std::process::id();
        let start = pid::start_time(pid).ok().flatten().unwrap_or(0);
        let reserved = seat_word(id.generation(), 0, MemberState::Reserved);
        let alive = seat_word(id.generation(), pid, MemberState::Alive);
        crash_point!("ledger.adopt.before_alive");
        if member.state.compare_exchange(reserved, alive, AcqRel, Relaxed).is_err() {
            return false;
        }
        crash_point!("ledger.adopt.before_start");
        member.start.store(start, Release);
        self.me.store(id.to_word(), Relaxed);
        true
    }

    /// Notes how the process of `id` ended, and wakes who waits for that. Anyone who reaped it.
    pub fn set_ended(&self, id: MemberId, ended: Ended) {
        if let Some(member) = self.seat(id) {
            let (running, word) = (running(id.generation()), ended.to_word());
            crash_point!("ledger.ended.before_word");
            if member.exit.compare_exchange(running, word, AcqRel, Relaxed).is_ok() {
                futex::wake_all(&member.exit);
            }
        }
    }

    /// How the process of `id` ended, if it has.
    pub fn ended(&self, id: MemberId) -> Option<Ended> {
        self.seat(id).and_then(|member| Ended::from_word(member.exit.load(Acquire)))
    }

    /// Sleeps until the process of `id` has ended or the deadline has come, a signal arrives, or for
    /// no reason; look again.
    pub fn sleep_until_ended(&self, id: MemberId, deadline: procession_sys::Deadline) {
        if let Some(member) = self.seat(id) {
            futex::wait(&member.exit, running(id.generation()), deadline.within(crate::RECHECK));
        }
    }

    /// Puts a parcel into the seat of `id`: arguments for it, or its result.
    pub fn set_parcel(&self, id: MemberId, parcel: Option<Handle>) {
        if let Some(member) = self.seat(id) {
            member.parcel.store(parcel.map_or(0, Handle::to_bits), Release);
        }
    }

    /// Takes the parcel out of the seat of `id`.
    pub fn take_parcel(&self, id: MemberId) -> Option<Handle> {
        self.seat(id).and_then(|member| Handle::from_bits(member.parcel.swap(0, AcqRel)))
    }

    /// Who made the seat of `id`.
    pub fn reserver(&self, id: MemberId) -> Option<MemberId> {
        let word = self.seat(id)?.reserver.load(Acquire);
        (word != 0).then(|| MemberId::from_word(word))
    }

    /// Gives a member a name that others can see; 32 bytes of it.
    pub fn set_name(&self, id: MemberId, name: &str) {
        let Some(member) = self.seat(id) else { return };
        let mut bytes = [0_u8; 32];
        let len = name.len().min(bytes.len());
        bytes[..len].copy_from_slice(&name.as_bytes()[..len]);
        for (word, part) in member.name.iter().zip(bytes.chunks_exact(8)) {
            word.store(u64::from_le_bytes(part.try_into().expect("eight bytes")), Relaxed);
        }
    }

    /// The members of the family.
    pub fn members(&self) -> Vec<MemberInfo> {
        (1..self.arena.header().seats.load(Acquire) as usize)
            .filter_map(|seat| {
                let member = self.arena.member(seat)?;
                let state = member.state.load(Acquire);
                let name = member.name.iter().flat_map(|w| w.load(Relaxed).to_le_bytes());
                let name: Vec<u8> = name.take_while(|byte| *byte != 0).collect();
                Some(MemberInfo {
                    id: MemberId::new(seat, (state >> 32) as u32),
                    pid: pid_in(state),
                    state: MemberState::from_bits(state),
                    name: String::from_utf8_lossy(&name).into_owned(),
                })
            })
            .filter(|member| member.state != MemberState::Free)
            .collect()
    }

    /// Whether the process of a member runs, as far as this process can see.
    pub fn is_alive(&self, id: MemberId) -> bool {
        self.seat(id).is_some_and(|member| {
            match pid::start_time(pid_in(member.state.load(Acquire))) {
                // 0: it has just sat down, and not noted its start yet.
                Ok(Some(start)) => [0, start].contains(&member.start.load(Acquire)),
                Ok(None) => false,
                // It may run; to bury it alive would be worse than to bury it late.
                Err(_) => true,
            }
        })
    }
}
