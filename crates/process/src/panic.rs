//! A panic as a value that can travel.
//!
//! `catch_unwind` gives the message only. The place and the way to it are known to the panic hook, which runs
//! first, on the same thread; so the hook leaves them in a thread-local, and [`catch`] picks them up if the panic
//! really left the function. The hook that was there before still runs and prints, as it would for a thread.

use std::any::Any;
use std::backtrace::Backtrace;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::{AssertUnwindSafe, PanicHookInfo};
use std::sync::{Once, RwLock};

use serde::{Deserialize, Serialize};

/// A panic in another process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Panic {
    message: String,
    location: Option<String>,
    backtrace: Option<String>,
}

impl Panic {
    /// What `panic!` was called with; a payload that is no text has a placeholder.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// File, line and column; `None` if the program replaced the panic hook.
    #[must_use]
    pub fn location(&self) -> Option<&str> {
        self.location.as_deref()
    }

    /// The call stack, whatever `RUST_BACKTRACE` says; `None` if the program replaced the panic hook.
    #[must_use]
    pub fn backtrace(&self) -> Option<&str> {
        self.backtrace.as_deref()
    }
}

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.location {
            Some(location) => write!(f, "panicked at {location}: {}", self.message),
            None => write!(f, "panicked: {}", self.message),
        }
    }
}

/// What the hook saw. The backtrace is only addresses until it is printed.
struct Sighting {
    location: Option<String>,
    backtrace: Backtrace,
}

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    static SEEN: RefCell<Option<Sighting>> = const { RefCell::new(None) };
}

/// Calls `f`; a panic in it becomes a value.
pub(crate) fn catch<T>(f: impl FnOnce() -> T) -> Result<T, Panic> {
    install();
    DEPTH.set(DEPTH.get() + 1);
    let done = std::panic::catch_unwind(AssertUnwindSafe(f));
    DEPTH.set(DEPTH.get() - 1);
    done.map_err(|payload| {
        let seen = SEEN.take();
        Panic {
            message: text(&*payload),
            location: seen.as_ref().and_then(|seen| seen.location.clone()),
            backtrace: seen.map(|seen| seen.backtrace.to_string()),
        }
    })
}

/// Installs the hook, once in a process; a zygote does it for all its children.
pub(crate) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            note(info);
            before(info);
        }));
    });
}

/// Whom to tell of a panic that nobody will catch, because the program was built with `panic = "abort"`.
static LAST_WORDS: RwLock<Option<LastWords>> = RwLock::new(None);
type LastWords = Box<dyn Fn(&Panic) + Send + Sync>;

/// Has `tell` called with the panic of any thread that is about to abort this process. Nothing, where panics unwind.
pub(crate) fn before_abort(tell: impl Fn(&Panic) + Send + Sync + 'static) {
    if cfg!(panic = "abort") {
        *LAST_WORDS.write().unwrap_or_else(|broken| broken.into_inner()) = Some(Box::new(tell));
    }
}

fn note(info: &PanicHookInfo<'_>) {
    if cfg!(panic = "abort")
        && let Ok(tell) = LAST_WORDS.try_read()
        && let Some(tell) = &*tell
    {
        tell(&Panic {
            message: text(info.payload()),
            location: info.location().map(ToString::to_string),
            backtrace: Some(Backtrace::force_capture().to_string()),
        });
    }
    if DEPTH.get() > 0 {
        let location = info.location().map(ToString::to_string);
        SEEN.set(Some(Sighting { location, backtrace: Backtrace::force_capture() }));
    }
}

fn text(payload: &dyn Any) -> String {
    match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => (*text).to_owned(),
        (_, Some(text)) => text.clone(),
        _ => "a payload that is no text".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caught_panic_has_message_location_and_backtrace() {
        let panic = catch(|| panic!("boom {}", 7)).expect_err("a panic");
        assert_eq!(panic.message(), "boom 7");
        assert!(panic.location().is_some_and(|at| at.contains("panic.rs:")), "{panic:?}");
        assert!(panic.backtrace().is_some_and(|trace| trace.contains("caught_panic_has")));
    }

    #[test]
    fn panic_that_the_function_catches_itself_is_not_reported() {
        let done = catch(|| std::panic::catch_unwind(|| panic!("inner")).is_err());
        assert_eq!(done, Ok(true));
        let panic = catch(|| std::panic::panic_any(5)).expect_err("a panic");
        assert_eq!(panic.message(), "a payload that is no text");
    }
}
