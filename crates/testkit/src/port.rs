//! A TCP port for a program that has to be told its number.
//!
//! Port 0 is better wherever it will do: the kernel chooses and binds in one step. A port that was looked for first can be
//! gone when it is bound. This one is none of those that the kernel deals out by itself, to servers and to every client that
//! connects, so only somebody who asks for the very number can take it; and each process begins to look at another place.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Where a port is looked for.
const PORTS: RangeInclusive<u16> = 10_000..=60_000;

/// A port at which nobody listens, another one at each call.
///
/// ```
/// let port = procession_testkit::free_port();
/// assert!(std::net::TcpListener::bind(("127.0.0.1", port)).is_ok());
/// assert_ne!(procession_testkit::free_port(), port);
/// ```
///
/// # Panics
/// If there is none.
pub fn free_port() -> u16 {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let ports = ports();
    // Far from each other, so that a port that is taken sends nobody to that of the next call.
    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    let first = std::process::id() as usize * 31 + call * 101;
    let looked_at = (0..ports.len()).map(|step| ports[(first + step) % ports.len()]);
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::UNSPECIFIED, *port)).is_ok();
    looked_at.into_iter().find(is_free).expect("some port is free")
}

/// Those that the kernel leaves alone; all, if it leaves none.
fn ports() -> Vec<u16> {
    let others: Vec<_> = match kernels() {
        Some(kernels) => PORTS.filter(|port| !kernels.contains(port)).collect(),
        None => Vec::new(),
    };
    if others.is_empty() { PORTS.collect() } else { others }
}

/// Those that the kernel deals out: ip(7).
fn kernels() -> Option<RangeInclusive<u16>> {
    let text = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?;
    let mut ends = text.split_ascii_whitespace().map(str::parse);
    Some(ends.next()?.ok()?..=ends.next()?.ok()?)
}
