//! A signal by number, that says its name.

use std::fmt;

/// A signal: a number that prints as the name every Unix person knows.
///
/// ```
/// use procession_sys::signal_name::Signal;
///
/// assert_eq!(Signal::KILL.as_raw(), 9);
/// assert_eq!(Signal::TERM.to_string(), "SIGTERM");
/// assert_eq!(Signal::from_raw(40).to_string(), "signal 40");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(transparent)]
pub struct Signal(i32);

macro_rules! signals {
    ($($name:ident $number:ident $doc:literal,)*) => {
        impl Signal {
            $(#[doc = $doc] pub const $name: Self = Self(libc::$number);)*

            /// The name, for example `SIGTERM`; `None` for real-time signals and for no signals.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $(libc::$number => Some(stringify!($number)),)*
                    _ => None,
                }
            }
        }
    };
}

signals! {
    ABRT SIGABRT "The process gave up, as a Rust panic with `panic = \"abort\"` does.",
    ALRM SIGALRM "A timer ran out.",
    BUS SIGBUS "Memory that has no page behind it.",
    CHLD SIGCHLD "A child ended or stopped.",
    CONT SIGCONT "Go on after a stop.",
    FPE SIGFPE "An impossible division.",
    HUP SIGHUP "The terminal is gone.",
    ILL SIGILL "An instruction that the processor does not have.",
    INT SIGINT "Ctrl-C.",
    IO SIGIO "Input or output is possible.",
    KILL SIGKILL "The end, and nobody can refuse.",
    PIPE SIGPIPE "Wrote to a pipe that nobody reads.",
    PROF SIGPROF "The profiling timer ran out.",
    PWR SIGPWR "The power fails.",
    QUIT SIGQUIT "Ctrl-\\\\: end with a core.",
    SEGV SIGSEGV "Memory that is not mapped.",
    STKFLT SIGSTKFLT "A fault of a stack that no processor has any more.",
    STOP SIGSTOP "Stop, and nobody can refuse.",
    SYS SIGSYS "A system call that is not allowed.",
    TERM SIGTERM "Please end.",
    TRAP SIGTRAP "A breakpoint.",
    TSTP SIGTSTP "Ctrl-Z.",
    TTIN SIGTTIN "Read from a terminal in the background.",
    TTOU SIGTTOU "Wrote to a terminal in the background.",
    URG SIGURG "Urgent data arrived.",
    USR1 SIGUSR1 "For users, the first.",
    USR2 SIGUSR2 "For users, the second.",
    VTALRM SIGVTALRM "A timer of processor time ran out.",
    WINCH SIGWINCH "The terminal changed its size.",
    XCPU SIGXCPU "Used more processor time than allowed.",
    XFSZ SIGXFSZ "Wrote a larger file than allowed.",
}

impl Signal {
    /// The signal with this number. Any number is taken; the kernel refuses those that are none.
    pub const fn from_raw(number: i32) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn as_raw(self) -> i32 {
        self.0
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => write!(f, "signal {}", self.0),
        }
    }
}
