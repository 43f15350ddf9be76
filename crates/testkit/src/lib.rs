//! What the tests of procession stand on, for every floor: this crate uses none of them.
//!
//! | room | what it says |
//! |---|---|
//! | [`mod@guard`] | the first line of a test: [`mod@watchdog`] and [`leaks`] in one |
//! | [`mod@watchdog`] | a test that hangs is ended, and says who waits for what |
//! | [`leaks`] | nothing is left: processes, zombies, descriptors, shared memory, names |
//! | [`fact`] | wait until something holds, instead of sleeping |
//! | [`family`] | the processes below this one, as `/proc` shows them |
//! | [`mod@interpreters`] | which CPythons this machine has |
//! | [`port`] | a TCP port for a program that has to be told its number |
//!
//! Named crash points are in `procession_sys::crash`, because the code under test passes them.
#![forbid(unsafe_code)]

pub mod fact;
pub mod family;
pub mod guard;
pub mod interpreters;
pub mod leaks;
pub mod port;
pub mod watchdog;

pub use fact::wait_until;
pub use guard::{guard, guard_after};
pub use interpreters::interpreters;
pub use leaks::LeakCheck;
pub use port::free_port;
pub use watchdog::watchdog;
