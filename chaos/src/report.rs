//! What was done and what held.

use crate::board::{Board, Count};
use crate::member::Role;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// Sums over the whole run.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Report {
    kills: BTreeMap<Role, u64>,
    pub(crate) strays: u64,
    pub(crate) zygotes: u64,
    pub(crate) stops: u64,
    pub(crate) acknowledged: u64,
    received: u64,
    lost: Vec<(u64, i32)>,
    doubled: u64,
    corrupt: u64,
    owners_died: u64,
    pub(crate) locks_freed: u64,
    work: [u64; 8],
    pub(crate) idle: u64,
    pub(crate) longest_stall: Duration,
    pub(crate) longest_idle: Duration,
    violations: Vec<String>,
}

impl Report {
    pub(crate) fn killed(&mut self, role: Role) {
        *self.kills.entry(role).or_default() += 1;
    }

    pub(crate) fn kills(&self) -> u64 {
        self.kills.values().sum::<u64>() + self.strays + self.zygotes
    }

    /// Adds what another process has done.
    pub(crate) fn add(&mut self, other: Self) {
        for (role, count) in other.kills {
            *self.kills.entry(role).or_default() += count;
        }
        self.strays += other.strays;
        self.zygotes += other.zygotes;
        self.stops += other.stops;
        self.acknowledged += other.acknowledged;
        self.received += other.received;
        self.lost.extend(other.lost);
        self.doubled += other.doubled;
        self.corrupt += other.corrupt;
        self.owners_died += other.owners_died;
        self.locks_freed += other.locks_freed;
        self.work.iter_mut().zip(other.work).for_each(|(sum, work)| *sum += work);
        self.idle += other.idle;
        self.longest_stall = self.longest_stall.max(other.longest_stall);
        self.longest_idle = self.longest_idle.max(other.longest_idle);
        self.violations.extend(other.violations);
    }

    pub(crate) fn lost(&mut self, number: u64, killed: i32) {
        self.lost.push((number, killed));
    }

    pub(crate) fn violation(&mut self, what: &str) {
        eprintln!("VIOLATION: {what}");
        self.violations.push(what.to_owned());
    }

    pub(crate) fn held(&self) -> bool {
        self.violations.is_empty()
    }

    /// Adds what a board has counted.
    pub(crate) fn take(&mut self, board: &Board) {
        self.received += board.count(Count::Received);
        self.doubled += board.count(Count::Doubled);
        self.corrupt += board.count(Count::Corrupt);
        self.owners_died += board.count(Count::OwnerDied);
        let work = [
            Count::Locks,
            Count::Values,
            Count::Arrays,
            Count::Tasks,
            Count::TasksLost,
            Count::Spawned,
            Count::Permits,
            Count::Letters,
        ];
        for (sum, count) in self.work.iter_mut().zip(work) {
            *sum += board.count(count);
        }
    }

    pub(crate) fn print(&self) {
        let kinds: Vec<_> =
            self.kills.iter().map(|(role, count)| format!("{role:?} {count}")).collect();
        println!(
            "killed               {}: {}, workers and children of members {}, zygotes {}",
            self.kills(),
            kinds.join(", "),
            self.strays,
            self.zygotes
        );
        println!("stopped for a while  {}", self.stops);
        println!("puts that returned   {}", self.acknowledged);
        println!("received             {}", self.received);
        println!("lost                 {}, each in the hand of a killed consumer", self.lost.len());
        for (number, killed) in self.lost.iter().take(5) {
            println!("                     item {number} with process {killed}");
        }
        println!("doubled, corrupt     {}, {}", self.doubled, self.corrupt);
        println!(
            "owners died          {} locks went to the next with the news, {} plain ones were freed",
            self.owners_died, self.locks_freed
        );
        let [locks, values, arrays, tasks, lost, spawned, permits, letters] = self.work;
        println!(
            "work                 {locks} mutexes taken, {permits} permits, {values} values changed, {arrays} arrays written"
        );
        println!(
            "                     {tasks} tasks done, {lost} lost with their worker or child, {spawned} children joined, {letters} letters by pipe"
        );
        println!(
            "longest stall        {:?} under load, {:?} of {} single messages",
            self.longest_stall, self.longest_idle, self.idle
        );
        for violation in self.violations.iter().take(20) {
            println!("VIOLATION            {violation}");
        }
    }
}
