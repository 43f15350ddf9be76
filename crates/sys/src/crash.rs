//! Named points at which a test has a process killed.
//!
//! "A death is never a hang" is a claim about every instruction of a protocol; a test can only show
//! it for the steps that have a name. [`crash_point!`](crate::crash_point) names one. With the
//! feature `crash-points` the process kills itself there with `SIGKILL` when that name is armed; without
//! it, the macro expands to nothing.
//!
//! Armed are at most [`ARMED_MAX`] names, each as a hash of the name (zero: free slot) beside the
//! number of passings that are left. The table is plain atomics, so a point may stand under a lock,
//! in a child between fork and exec, or in a signal handler.
//!
//! After fork the child has the table as it was at that instant and counts on its own. It is never
//! shared: arming a point in one process kills no other.
//!
//! The list of all names is not here: `cargo xtask crash-points` reads it from the sources.

/// How many names can be armed at a time.
pub const ARMED_MAX: usize = 8;

/// The variable that arms points from outside: `name:n`, or `name:n:stop` to be stopped there, several
/// separated by commas. `name` alone is the first passing. It is read at the first passing of any point, once in a process.
pub const VARIABLE: &str = "PROCESSION_CRASH";

/// Kills this process with `SIGKILL` if the point of this name is armed and this is its turn.
///
/// The name is a literal, `room.operation.step`, and unique in the source. Without the feature
/// `crash-points` of this crate nothing is left of it.
///
/// ```
/// procession_sys::crash_point!("example.passes");
/// ```
#[cfg(feature = "crash-points")]
#[macro_export]
macro_rules! crash_point {
    ($name:literal) => {
        $crate::crash::pass(const { $crate::crash::hash($name) })
    };
}

/// Kills this process with `SIGKILL` if the point of this name is armed and this is its turn.
///
/// The name is a literal, `room.operation.step`, and unique in the source. Without the feature
/// `crash-points` of this crate, as here, nothing is left of it.
///
/// ```
/// procession_sys::crash_point!("example.passes");
/// ```
#[cfg(not(feature = "crash-points"))]
#[macro_export]
macro_rules! crash_point {
    ($name:literal) => {};
}

#[cfg(feature = "crash-points")]
pub use armed::{arm, arm_stop, disarm, hash, pass};

#[cfg(feature = "crash-points")]
mod armed {
    use super::{ARMED_MAX, VARIABLE};
    use rustix::process::Signal;
    use std::sync::Once;
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

    struct Slot {
        name: AtomicU64,
        left: AtomicU64,
        stops: AtomicBool,
    }

    static SLOTS: [Slot; ARMED_MAX] = [const { Slot::free() }; ARMED_MAX];

    impl Slot {
        const fn free() -> Self {
            let (name, left) = (AtomicU64::new(0), AtomicU64::new(0));
            Self { name, left, stops: AtomicBool::new(false) }
        }
    }

    /// The number under which a name is armed: FNV-1a, never zero.
    pub const fn hash(name: &str) -> u64 {
        let (bytes, mut at, mut hash) = (name.as_bytes(), 0, 0xcbf2_9ce4_8422_2325_u64);
        while at < bytes.len() {
            hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0100_0000_01b3);
            at += 1;
        }
        hash | 1
    }

    /// Has this process killed at the `n`-th passing of `name` from now; the first is 1. Arming a
    /// name again sets its count anew.
    ///
    /// # Panics
    /// If `n` is zero, or if [`ARMED_MAX`] other names are armed.
    pub fn arm(name: &str, n: u64) {
        read_variable();
        set(name, n, false);
    }

    /// As [`arm`], but the process is stopped there, with all its threads, until somebody sends it
    /// `SIGCONT`.
    ///
    /// # Panics
    /// As [`arm`].
    pub fn arm_stop(name: &str, n: u64) {
        read_variable();
        set(name, n, true);
    }

    /// Disarms every name, also those of the variable.
    pub fn disarm() {
        read_variable();
        SLOTS.iter().for_each(|slot| slot.name.store(0, Ordering::Relaxed));
    }

    /// Passes the point with this [`hash`]; [`crash_point!`](crate::crash_point) calls it.
    pub fn pass(name: u64) {
        read_variable();
        for slot in &SLOTS {
            // Labelled `armed`: the count is seen by whoever sees the name.
            if slot.name.load(Ordering::Acquire) == name
                && slot.left.fetch_sub(1, Ordering::Relaxed) == 1
            {
                send_myself(if slot.stops.load(Ordering::Relaxed) {
                    Signal::STOP
                } else {
                    Signal::KILL
                });
            }
        }
    }

    fn set(name: &str, n: u64, stops: bool) {
        assert!(n > 0, "cannot arm crash point {name} at passing 0: the first is 1");
        let (name_hash, taken) =
            (hash(name), |slot: &&Slot| slot.name.load(Ordering::Relaxed) != 0);
        let same = |slot: &&Slot| slot.name.load(Ordering::Relaxed) == name_hash;
        let slot = SLOTS.iter().find(same).or_else(|| SLOTS.iter().find(|slot| !taken(slot)));
        let slot = slot.unwrap_or_else(|| panic!("cannot arm crash point {name}: table is full"));
        slot.left.store(n, Ordering::Relaxed);
        slot.stops.store(stops, Ordering::Relaxed);
        // Labelled `armed`.
        slot.name.store(name_hash, Ordering::Release);
    }

    fn read_variable() {
        static READ: Once = Once::new();
        READ.call_once(|| {
            let value = std::env::var(VARIABLE).unwrap_or_default();
            for entry in value.split(',').filter(|entry| !entry.is_empty()) {
                let (entry, stops) = match entry.strip_suffix(":stop") {
                    Some(entry) => (entry, true),
                    None => (entry, false),
                };
                let (name, n) = entry.split_once(':').unwrap_or((entry, "1"));
                let n = n.parse().unwrap_or_else(|_| {
                    panic!("cannot read {VARIABLE}={value}: `{n}` is no number of passings")
                });
                set(name, n, stops);
            }
        });
    }

    /// kill(2) of oneself does not return before the process has stopped, and never with `SIGKILL`.
    fn send_myself(signal: Signal) {
        rustix::process::kill_process(rustix::process::getpid(), signal)
            .expect("a process may send itself any signal");
    }
}

#[cfg(all(test, feature = "crash-points"))]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;
    use std::process::Command;

    /// Runs one test of this binary again, with the variable set, and returns the signal that ended it.
    fn signal_with(variable: &str) -> Option<i32> {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "crash::tests::passes_three_times", "--ignored"]);
        command.env(VARIABLE, variable).output().unwrap().status.signal()
    }

    #[test]
    #[ignore = "the victim of the tests below"]
    fn passes_three_times() {
        for _ in 0..3 {
            crate::crash_point!("example.victim");
        }
    }

    #[test]
    fn an_armed_point_kills_at_its_turn_and_no_other() {
        assert_eq!(signal_with("example.victim:3"), Some(9));
        assert_eq!(signal_with("example.victim"), Some(9));
        assert_eq!(signal_with("example.victim:4"), None);
        assert_eq!(signal_with("other:1,example.victim:2"), Some(9));
        assert_eq!(signal_with("example.victi"), None);
    }

    #[test]
    fn a_disarmed_point_lets_pass() {
        arm("example.disarmed", 1);
        disarm();
        crate::crash_point!("example.disarmed");
    }
}
