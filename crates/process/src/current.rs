//! Who this process is, and who started it.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::start::lifeline;

/// What a child is told about itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Identity {
    pub(crate) name: String,
    /// `2:1` for the first child of the second child; empty for the first process of a family.
    pub(crate) path: String,
    pub(crate) daemon: bool,
    pub(crate) parent: Option<(String, i32)>,
}

/// The identity; `None` is the first process of a family.
static IDENTITY: RwLock<Option<Arc<Identity>>> = RwLock::new(None);

/// How many children this process has named.
static NAMED: AtomicU32 = AtomicU32::new(0);

/// This process, as its parent described it.
///
/// ```
/// let me = procession_process::current_process();
/// assert_eq!(me.name(), "MainProcess");
/// assert_eq!(me.pid(), std::process::id() as i32);
/// assert!(!me.is_daemon());
/// ```
#[derive(Debug, Clone)]
pub struct CurrentProcess(Option<Arc<Identity>>);

impl CurrentProcess {
    /// Its name; `MainProcess` for the first one of a family.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.as_ref().map_or("MainProcess", |me| &me.name)
    }

    /// Its pid.
    #[must_use]
    pub fn pid(&self) -> i32 {
        std::process::id() as i32
    }

    /// Whether it is terminated, and not waited for, when its parent ends.
    #[must_use]
    pub fn is_daemon(&self) -> bool {
        self.0.as_ref().is_some_and(|me| me.daemon)
    }

    pub(crate) fn path(&self) -> &str {
        self.0.as_ref().map_or("", |me| &me.path)
    }
}

/// This process.
#[must_use]
pub fn current_process() -> CurrentProcess {
    CurrentProcess(IDENTITY.read().unwrap_or_else(|broken| broken.into_inner()).clone())
}

/// The process that started this one.
#[derive(Debug, Clone)]
pub struct ParentProcess(Arc<Identity>);

impl ParentProcess {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.parent.as_ref().map_or("", |(name, _)| name)
    }

    /// Its pid.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.0.parent.as_ref().map_or(0, |(_, pid)| *pid)
    }

    /// Whether it still runs. A child sees `false` only if it was allowed to outlive its parent.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        !lifeline::is_cut(Duration::ZERO)
    }

    /// Waits until it has ended or the time is up; says whether it has ended.
    #[must_use]
    pub fn join_timeout(&self, timeout: Duration) -> bool {
        lifeline::is_cut(timeout)
    }

    /// A descriptor that hangs up (`POLLHUP`) when the parent ends.
    #[must_use]
    pub fn sentinel(&self) -> Option<BorrowedFd<'static>> {
        lifeline::upward().map(AsFd::as_fd)
    }
}

/// The process that started this one; `None` in the first process of a family.
///
/// ```
/// assert!(procession_process::parent_process().is_none());
/// ```
#[must_use]
pub fn parent_process() -> Option<ParentProcess> {
    current_process().0.filter(|me| me.parent.is_some()).map(ParentProcess)
}

/// How many processes can run at a time here: the CPUs that this process may use, or fewer if a control group
/// (version 1 or 2) grants it less time.
///
/// ```
/// assert!(procession_process::cpu_count() >= 1);
/// ```
#[must_use]
pub fn cpu_count() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Becomes what the parent said, in a process that has just begun.
pub(crate) fn become_child(identity: Identity) {
    NAMED.store(0, Ordering::Relaxed);
    *IDENTITY.write().unwrap_or_else(|broken| broken.into_inner()) = Some(Arc::new(identity));
}

/// The identity of the next child of this process.
pub(crate) fn name_child(name: Option<String>, daemon: bool) -> Identity {
    let me = current_process();
    let number = NAMED.fetch_add(1, Ordering::Relaxed) + 1;
    let path = match me.path() {
        "" => number.to_string(),
        path => format!("{path}:{number}"),
    };
    Identity {
        name: name.unwrap_or_else(|| format!("Process-{path}")),
        path,
        daemon,
        parent: Some((me.name().to_owned(), me.pid())),
    }
}
