//! A peer: a pipe, as one writes it by hand.
//!
//! A message is a frame of four bytes of length and then the payload, sent with one `write`, so that
//! the reader can have it at once. The reader reads what is there and takes the frames from that.

use crate::child::Child;
use crate::row::{Effort, Outcome};
use crate::sample::{Stopwatch, timed};
use std::error::Error;
use std::io::{self, BufReader, Read, Write};

/// The role that reads frames until the count it was told, then says so.
pub(crate) const READER: &str = "pipe-reader";
/// The role that sends every frame back.
pub(crate) const ECHO: &str = "pipe-echo";

/// Messages a second through one pipe.
pub(crate) fn stream(effort: Effort, payload: &[u8], full: u64) -> Outcome {
    let count = effort.count(full);
    let mut child = Child::start(READER, &[&count.to_string()])?;
    let (mut input, mut output) = (child.input()?, child.output()?);
    byte(&mut output)?;
    let frame = frame(payload);
    let watch = Stopwatch::start();
    for _ in 0..count {
        input.write_all(&frame)?;
    }
    byte(&mut output)?;
    Ok(watch.rate(count))
}

/// The time of a message there and back, through two pipes.
pub(crate) fn round_trip(effort: Effort) -> Outcome {
    let count = effort.count(50_000);
    let mut child = Child::start(ECHO, &[])?;
    let (mut input, mut output) = (child.input()?, BufReader::new(child.output()?));
    let (frame, mut back) = (frame(&7_u64.to_ne_bytes()), Vec::new());
    let mut trip = || -> io::Result<()> {
        input.write_all(&frame)?;
        read_frame(&mut output, &mut back)
    };
    trip()?;
    let (watch, mut trips) = (Stopwatch::start(), Vec::with_capacity(count as usize));
    for _ in 0..count {
        let (time, done) = timed(&mut trip);
        done?;
        trips.push(time);
    }
    Ok(watch.middle(trips))
}

/// The CPU time of a reader that waits, in a second of waiting.
pub(crate) fn idle(effort: Effort) -> Outcome {
    let mut child = Child::start(READER, &["1"])?;
    byte(&mut child.output()?)?;
    let watch = Stopwatch::start();
    crate::latency::wait_a_second(effort);
    Ok(watch.cpu())
}

/// Plays [`READER`].
pub(crate) fn read_frames(args: &[&str]) -> Result<(), Box<dyn Error>> {
    let count: u64 = args.first().ok_or("how many frames?")?.parse()?;
    let (mut input, mut payload) = (BufReader::with_capacity(1 << 16, io::stdin()), Vec::new());
    said(b"r")?;
    for _ in 0..count {
        read_frame(&mut input, &mut payload)?;
    }
    Ok(said(b"d")?)
}

/// Plays [`ECHO`], until its standard input ends.
pub(crate) fn echo(_: &[&str]) -> Result<(), Box<dyn Error>> {
    let (mut input, mut payload) = (BufReader::new(io::stdin()), Vec::new());
    while read_frame(&mut input, &mut payload).is_ok() {
        said(&frame(&payload))?;
    }
    Ok(())
}

fn frame(payload: &[u8]) -> Vec<u8> {
    [&(payload.len() as u32).to_ne_bytes(), payload].concat()
}

fn read_frame(input: &mut impl Read, payload: &mut Vec<u8>) -> io::Result<()> {
    let mut length = [0; 4];
    input.read_exact(&mut length)?;
    payload.resize(u32::from_ne_bytes(length) as usize, 0);
    input.read_exact(payload)
}

fn byte(input: &mut impl Read) -> io::Result<()> {
    input.read_exact(&mut [0])
}

fn said(bytes: &[u8]) -> io::Result<()> {
    let mut output = io::stdout().lock();
    output.write_all(bytes)?;
    output.flush()
}
