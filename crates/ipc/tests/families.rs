//! One process in two families.
//!
//! As in `deaths.rs` each scenario is this program again, with one thread. A *founder*, this program
//! once more, has a family of its own; it reserves seats there for who asks, and has one queue and one
//! lock.

use procession_ipc::byte_queue::{ByteQueue, Item};
use procession_ipc::message::{Objects, Parcel};
use procession_ipc::sync::Holder;
use procession_ipc::{Condition, Error, Event, Lock, Queue, Shareable, Value, wait};
use procession_shm::{
    Family, Handle, MemberId, MemberState, RECHECK, adopt, families, family, join, joined,
    own_family,
};
use procession_sys::fork::{Fork, fork};
use procession_sys::{Deadline, fd_pass, leave};
use procession_testkit::wait_until;
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Command};
use std::time::Duration;

const SCENARIO: &str = "PROCESSION_SCENARIO";
const FOUNDER: &str = "founder";
const SCENARIOS: &[(&str, fn())] = &[
    ("objects_of_two_families_work_side_by_side", side_by_side),
    ("the_first_family_joined_is_the_own_one", first_is_own),
    ("a_family_adopted_later_is_the_own_one_and_the_earlier_one_stays", adopted_later),
    ("joining_twice_is_joining_once_and_leaves_no_seat", joined_twice),
    ("a_seat_that_was_withdrawn_is_refused_and_nothing_is_joined", withdrawn),
    ("a_forked_child_has_a_seat_and_all_objects_in_both_families", forked),
    ("a_death_is_noticed_in_each_of_its_families", deaths),
    ("forks_of_forks_keep_both_families", forks_of_forks),
    ("a_fork_that_finds_no_seat_leaves_the_family_alone", seatless),
    ("an_object_does_not_travel_in_a_message_of_another_family", strangers),
    ("a_message_of_another_family_brings_its_own_objects", own_objects),
    ("a_condition_is_made_in_the_family_of_its_lock", conditions),
];

fn main() {
    match std::env::var(SCENARIO) {
        Ok(name) if name == FOUNDER => return found(),
        Ok(name) => {
            let (_, run) = SCENARIOS.iter().find(|(known, _)| *known == name).expect("a scenario");
            return run();
        }
        Err(_) => {}
    }
    // As the harness does: a word on the command line chooses among the names.
    let word = std::env::args().skip(1).find(|word| !word.starts_with('-')).unwrap_or_default();
    for (name, _) in SCENARIOS.iter().filter(|(name, _)| name.contains(&word)) {
        let _guard = procession_testkit::guard();
        let status = again(name).status().expect("cannot start this program again");
        assert!(status.success(), "{name}: {status}");
        println!("test {name} ... ok");
    }
}

fn again(scenario: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.env(SCENARIO, scenario);
    command
}

/// The founder's life: tells the handles of its objects, and then a seat for each message.
fn found() {
    let socket = std::io::stdin().as_fd().try_clone_to_owned().expect("a socket");
    let (queue, lock) = (Queue::<Lock>::new().unwrap(), Lock::new().unwrap());
    let family = lock.held().family();
    let numbers = |numbers: [u64; 2]| numbers.map(u64::to_le_bytes).concat();
    let handles = [queue.handle().to_bits(), lock.handle().to_bits()];
    fd_pass::send(&socket, &numbers(handles), &[]).unwrap();
    while fd_pass::recv(&socket, &mut [0; 16]).unwrap().is_some() {
        let seat = family.reserve().unwrap();
        let told = numbers([seat.to_word(), family.arena().id()]);
        fd_pass::send(&socket, &told, &[family.fd()]).unwrap();
    }
}

/// A founder, as its guest sees it.
struct Founder {
    process: Child,
    socket: Option<OwnedFd>,
    queue: Handle,
    lock: Handle,
}

/// What a founder told about a family.
struct Invitation {
    arena: OwnedFd,
    seat: MemberId,
    id: u64,
}

impl Founder {
    fn start() -> Self {
        let (socket, theirs) = fd_pass::pair().unwrap();
        let process = again(FOUNDER).stdin(theirs).spawn().unwrap();
        let [queue, lock] = receive(&socket).0.map(|bits| Handle::from_bits(bits).unwrap());
        Self { process, socket: Some(socket), queue, lock }
    }

    fn invite(&self) -> Invitation {
        let socket = self.socket.as_ref().unwrap();
        fd_pass::send(socket, b"?", &[]).unwrap();
        let ([seat, id], mut fds) = receive(socket);
        Invitation { arena: fds.pop().unwrap(), seat: MemberId::from_word(seat), id }
    }

    fn join(&self) -> &'static Family {
        let Invitation { arena, seat, .. } = self.invite();
        join(arena, seat).unwrap()
    }
}

impl Drop for Founder {
    fn drop(&mut self) {
        self.socket = None;
        let _ = self.process.wait();
    }
}

fn receive(socket: &OwnedFd) -> ([u64; 2], Vec<OwnedFd>) {
    let mut bytes = [0; 16];
    let message = fd_pass::recv(socket, &mut bytes).unwrap().expect("a founder that lives");
    let word = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
    ([word(0), word(8)], message.fds)
}

/// Runs `work` in a forked child; whether it returned.
fn in_child(work: impl FnOnce()) {
    match fork().expect("one thread") {
        Fork::Child => {
            let failed = panics(work);
            leave::leave(i32::from(failed))
        }
        child => assert_eq!(child.join().unwrap().unwrap().code(), Some(0), "see above"),
    }
}

fn panics(work: impl FnOnce()) -> bool {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).is_err()
}

/// Members of a family whose processes run, or are about to.
fn present(family: &Family) -> usize {
    let present = [MemberState::Reserved, MemberState::Alive];
    family.members().iter().filter(|member| present.contains(&member.state)).count()
}

fn side_by_side() {
    let (home, away) = (family().unwrap(), Founder::start());
    let there = away.join();
    assert!(own_family() == Some(home) && home != there);
    assert!(families().eq([home, there]));
    let (mine, theirs) = (Lock::new().unwrap(), Lock::attach(there, away.lock).unwrap());
    assert!(mine.held().family() == home && theirs.held().family() == there);
    mine.acquire();
    theirs.acquire();
    let me = Some(Holder::Process(std::process::id()));
    assert!(mine.holder() == me && theirs.holder() == me);
    theirs.release().unwrap();
    assert!(mine.is_mine() && !theirs.is_locked());
    let (here, over_there) =
        (Queue::new().unwrap(), Queue::<Lock>::attach(there, away.queue).unwrap());
    here.put(&mine).unwrap();
    over_there.put(&theirs).unwrap();
    assert_eq!(wait(&[&here, &over_there], None).unwrap(), [0, 1]);
    assert_eq!(here.get().unwrap().held().family(), home);
    assert_eq!(over_there.get().unwrap().held().family(), there);
}

fn first_is_own() {
    assert!(own_family().is_none() && families().next().is_none());
    let (first, second) = (Founder::start(), Founder::start());
    let own = first.join();
    second.join();
    assert_eq!(family().unwrap(), own);
    assert_eq!(Event::new().unwrap().held().family(), own);
}

fn adopted_later() {
    let (early, away) = (Lock::new().unwrap(), Founder::start());
    let home = early.held().family();
    early.acquire();
    let seat = home.me();
    let Invitation { arena, seat: named, .. } = away.invite();
    let there = adopt(arena, named).unwrap();
    assert!(family().unwrap() == there && there.me() == named);
    assert_eq!(Event::new().unwrap().held().family(), there);
    assert!(home.me() == seat && home.state(seat) == MemberState::Alive);
    assert!(early.is_mine());
    early.release().unwrap();
    // And back: by a seat in a family that is joined already.
    let again = home.fd().try_clone_to_owned().unwrap();
    let spare = home.reserve().unwrap();
    assert_eq!(adopt(again, spare).unwrap(), home);
    assert!(family().unwrap() == home && home.me() == seat);
    assert_eq!(home.state(spare), MemberState::Free);
}

fn joined_twice() {
    let away = Founder::start();
    let first = away.invite();
    assert!(joined(first.id).is_none());
    let there = join(first.arena, first.seat).unwrap();
    let members = present(there);
    let open = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let before = open();
    let second = away.invite();
    assert_eq!(second.id, first.id);
    assert_eq!(join(second.arena, second.seat).unwrap(), there);
    assert!(joined(first.id) == Some(there) && families().count() == 1);
    assert!(there.me() == first.seat && present(there) == members && open() == before);
    assert_eq!(there.state(second.seat), MemberState::Free);
    // The same invitation once more, as if it had been read twice: the seat is in use, and stays so.
    assert_eq!(join(away.invite().arena, first.seat).unwrap(), there);
    assert_eq!(there.state(first.seat), MemberState::Alive);
}

fn withdrawn() {
    let away = Founder::start();
    let invitation = away.invite();
    let other_seat = MemberId::from_word(invitation.seat.to_word() ^ 1 << 40);
    let refused = join(invitation.arena, other_seat);
    assert!(matches!(refused, Err(procession_shm::Error::BadHandle { .. })));
    assert!(families().next().is_none() && own_family().is_none());
    assert_eq!(away.join().arena().id(), invitation.id, "the next one is good");
}

fn forked() {
    let (mine, away) = (Lock::new().unwrap(), Founder::start());
    let (home, there) = (mine.held().family(), away.join());
    let theirs = Lock::attach(there, away.lock).unwrap();
    let queue = Queue::<Lock>::attach(there, away.queue).unwrap();
    let (my_seat, your_seat) = (home.me(), there.me());
    let members = (present(home), present(there));
    theirs.acquire();
    in_child(|| {
        assert!(family().unwrap() == home && families().eq([home, there]));
        assert!(home.me() != my_seat && there.me() != your_seat);
        assert!(!theirs.is_mine() && theirs.is_locked());
        theirs.release().unwrap();
        theirs.acquire();
        mine.acquire();
        queue.put(&theirs).unwrap();
        let made = Value::new(1_u8).unwrap();
        assert_eq!(made.held().family(), home);
    });
    for (family, count) in [(home, members.0), (there, members.1)] {
        wait_until("the child's seats are given back", || {
            family.look_for_deaths();
            present(family) == count
        });
    }
    assert_eq!((mine.holder(), theirs.holder()), (Some(Holder::Gone), Some(Holder::Gone)));
    assert_eq!(queue.get().unwrap().handle(), theirs.handle());
}

fn deaths() {
    let (home, away) = (family().unwrap(), Founder::start());
    let there = away.join();
    let queue = Queue::<Lock>::attach(there, away.queue).unwrap();
    let (mine, theirs) = (Value::new(0_u8).unwrap(), Lock::attach(there, away.lock).unwrap());
    in_child(|| {
        std::mem::forget(mine.lock());
        theirs.acquire();
        queue.put(&theirs).unwrap();
        // Dies with a parcel in its hands that only its burial in that family gives back.
        std::mem::forget(queue.get().unwrap());
    });
    // Nobody else looks: those who wait do, in the family of what they wait for.
    drop(mine.lock());
    assert_eq!(present(home), 1);
    wait_until("the holder of the lock is known to be gone", || {
        assert!(!theirs.acquire_timeout(2 * RECHECK));
        theirs.holder() == Some(Holder::Gone)
    });
    assert!(queue.empty());
}

fn forks_of_forks() {
    let (mine, away) = (Event::new().unwrap(), Founder::start());
    let there = away.join();
    let theirs = Lock::attach(there, away.lock).unwrap();
    in_child(|| {
        in_child(|| {
            mine.set();
            theirs.acquire();
        });
    });
    assert!(mine.is_set() && theirs.is_locked());
    assert_eq!(theirs.held().family(), there);
}

fn seatless() {
    let home = family().unwrap();
    let some = home.reserve().unwrap();
    while home.reserve().is_ok() {}
    in_child(|| {
        assert!(panics(|| {
            home.me();
        }));
        home.look_for_deaths();
        home.bury(some);
        assert_eq!(home.state(some), MemberState::Reserved);
        // Neither does a fork of it find one.
        in_child(|| {
            assert!(panics(|| {
                home.me();
            }))
        });
    });
    assert_eq!(home.state(home.me()), MemberState::Alive);
}

fn strangers() {
    let (mine, away) = (Lock::new().unwrap(), Founder::start());
    let there = away.join();
    let theirs = Lock::attach(there, away.lock).unwrap();
    let queue = Queue::<Lock>::attach(there, away.queue).unwrap();
    let refused = |error: Error| matches!(error, Error::OtherFamily { .. });
    assert!(refused(queue.put(&mine).unwrap_err()));
    let (put, error) = queue.put_many([&theirs, &mine]).unwrap_err();
    assert!(put == 1 && refused(error));
    assert!(refused(Parcel::new(there, &mine).unwrap_err()));
    assert!(matches!(
        Parcel::new(there, &(mine.clone(), theirs.clone())),
        Err(Error::Encode { .. })
    ));
    let mut objects = Objects::default();
    objects.add(mine.held()).unwrap();
    assert!(refused(objects.add(theirs.held()).unwrap_err()));
    // A parcel is a block of its family, whatever is in it.
    let bytes = ByteQueue::attach(there, away.queue).unwrap();
    let parcel = Parcel::new(mine.held().family(), &1_u8).unwrap();
    let (put, error) = bytes.put(&[Item::Parcel(&parcel)], Deadline::now()).unwrap_err();
    assert!(put == 0 && refused(error));
    assert_eq!(queue.qsize(), 1, "what was refused is not there");
    assert_eq!(queue.get().unwrap().handle(), theirs.handle());
}

fn own_objects() {
    let (home, away) = (family().unwrap(), Founder::start());
    let there = away.join();
    let queue = Queue::<Lock>::attach(there, away.queue).unwrap();
    let theirs = Lock::attach(there, away.lock).unwrap();
    // Handles of one family, tried in the other, name nothing or something else.
    let decoys: Vec<_> = (0..64).map(|_| Lock::new().unwrap()).collect();
    queue.put_many([&theirs, &theirs]).unwrap();
    theirs.acquire();
    let got = queue.get_many(1).unwrap().pop().unwrap();
    assert!(got.is_mine() && got.held().family() == there);
    assert!(queue.get().unwrap().is_mine());
    assert!(decoys.iter().all(|lock| !lock.is_locked() && lock.held().family() == home));
}

fn conditions() {
    let (home, away) = (family().unwrap(), Founder::start());
    let there = away.join();
    let lock = Lock::attach(there, away.lock).unwrap();
    let condition = Condition::with_lock(lock.clone()).unwrap();
    let _guard = condition.lock();
    assert!(!condition.wait_timeout(Duration::from_millis(1)).unwrap());
    let same = Condition::attach_with_lock(condition.handle(), lock).unwrap();
    assert!(same.notify_all().is_ok());
    assert_eq!(own_family(), Some(home));
}
