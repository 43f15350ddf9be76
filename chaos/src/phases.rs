//! When whom to kill: under load, and when all are asleep.

use crate::board::Count;
use crate::crew::Crew;
use crate::member::{HANG, Role};
use crate::note;
use crate::report::Report;
use procession::{Process, Signal, wait};
use procession_ipc::byte_queue::Bounds;
use procession_ipc::message::Objects;
use procession_sys::Deadline;
use procession_sys::pidfd::Pidfd;
use procession_testkit::family::{Member, descendants};
use std::time::{Duration, Instant};

/// A storm over a crew of another process, whose zygotes are killed as well: those of its members, and the one that
/// reaps them all.
pub(crate) fn storm_without_zygotes(kills: u64, seed: u64, report: &mut Report) {
    let host = Process::spawn(
        |(kills, seed): (u64, u64)| {
            let mut report = Report::default();
            storm(kills, Bounds::default(), seed, Whom::ZygotesToo, &mut report);
            report
        },
        (kills, seed),
    );
    match host.and_then(|host| host.join()) {
        Ok(theirs) => report.add(theirs),
        Err(error) => report.violation(&format!("the host of a crew: {error}")),
    }
}

/// Whom a storm kills beside members, their workers and their children.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whom {
    ButZygotes,
    ZygotesToo,
}

/// Everybody works, and somebody is killed every 0 to 2 milliseconds.
pub(crate) fn storm(kills: u64, bounds: Bounds, seed: u64, whom: Whom, report: &mut Report) {
    use Role::{Consumer, Locker, Pooler, Producer, Spawner, Writer};
    let roles = [
        Producer, Consumer, Producer, Consumer, Locker, Writer, Producer, Consumer, Locker, Writer,
        Pooler, Spawner,
    ];
    let mut crew = Crew::new(&roles, bounds, seed);
    let (mut seen, mut since) = (0, Instant::now());
    for _ in 0..kills {
        let seat = crew.random().below(roles.len() as u64) as usize;
        let pause = Duration::from_micros(crew.random().below(2000));
        // Returns early if it ends by itself, which is found out below.
        let _ = wait(&[crew.process(seat)], Some(pause));
        if crew.random().once_in(10) {
            crew.signal(seat, Signal::STOP);
            let pause = Duration::from_micros(crew.random().below(3000));
            let _ = wait(&[crew.process(seat)], Some(pause));
            report.stops += 1;
            if crew.random().once_in(2) {
                // It dies as it stands.
                crew.kill(seat, report);
                continue;
            }
            crew.signal(seat, Signal::CONT);
        }
        if crew.random().once_in(if whom == Whom::ZygotesToo { 4 } else { 12 }) {
            kill_stray(&mut crew, whom, report);
        } else {
            crew.kill(seat, report);
        }
        let board = &crew.shared().board;
        let received = board.count(Count::Received);
        if received != seen || board.is_crowded() {
            (seen, since) = (received, Instant::now());
        }
        report.longest_stall = report.longest_stall.max(since.elapsed());
    }
    crew.finish(report);
}

/// Kills a worker of a pool, a child of a member, or a zygote.
fn kill_stray(crew: &mut Crew, whom: Whom, report: &mut Report) {
    let ours: Vec<i32> = (0..crew.len()).map(|seat| crew.process(seat).pid()).collect();
    let all = descendants();
    // Who starts something has a zygote for its only child.
    let is_zygote = |member: &Member| {
        ours.contains(&member.parent) || member.parent == std::process::id() as i32
    };
    let strays: Vec<_> = all
        .iter()
        .filter(|member| !ours.contains(&member.pid) && !member.is_zombie())
        .filter(|member| whom == Whom::ZygotesToo || !is_zygote(member))
        .collect();
    if strays.is_empty() {
        return;
    }
    let stray = strays[crew.random().below(strays.len() as u64) as usize];
    if let Ok(pidfd) = Pidfd::open(stray.pid) {
        let _ = pidfd.send_signal(Signal::KILL);
        let killed = if is_zygote(stray) { &mut report.zygotes } else { &mut report.strays };
        *killed += 1;
    }
}

/// One message at a time, while all others sleep; nobody else comes and wakes whom a dead one forgot.
pub(crate) fn calm(kills: u64, bounds: Bounds, seed: u64, report: &mut Report) {
    let roles = [Role::Echo, Role::Consumer, Role::Consumer, Role::Consumer];
    let mut crew = Crew::new(&roles, bounds, seed);
    for _ in 0..kills {
        let before = settled(&crew);
        let start = Instant::now();
        note::put(&crew.shared().orders, b"go", &Objects::default()).expect("an order");
        // As long as the order, the put and the wakes of both take.
        let until = Deadline::after(Duration::from_micros(crew.random().below(150)));
        while !until.expired() {
            std::hint::spin_loop();
        }
        let seat = crew.random().below(roles.len() as u64) as usize;
        crew.kill(seat, report);
        if seat == 0 {
            // Whether it had put is known by the queue alone; its order may have died with it.
            let _ = crew.shared().orders.get(&mut Vec::new(), None, Deadline::now());
        }
        let is_done = || match seat {
            0 => crew.shared().queue.is_empty(),
            _ => settled(&crew) > before,
        };
        while !is_done() {
            if start.elapsed() > HANG {
                report.violation("a message that nobody gets, while all sleep");
                break;
            }
            std::thread::yield_now();
        }
        report.idle += 1;
        report.longest_idle = report.longest_idle.max(start.elapsed());
    }
    crew.finish(report);
}

/// How many messages have come to their end: recorded, or lost with who had them.
fn settled(crew: &Crew) -> u64 {
    crew.shared().board.count(Count::Received) + crew.lost() as u64
}
