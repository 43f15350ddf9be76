//! A peer: the crate ipc-channel, the usual answer for channels between Rust processes.
//!
//! Small messages are typed, larger ones use its channel of bytes, which spares it serde; a megabyte
//! also goes through its shared memory. The child makes the channels and sends the parent its ends.

use crate::child::Child;
use crate::our_queue::{NUMBER, look_at};
use crate::row::{Effort, Outcome};
use crate::sample::{Stopwatch, timed};
use ipc_channel::ipc::{
    self, IpcBytesSender, IpcOneShotServer, IpcReceiver, IpcSender, IpcSharedMemory,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::hint::black_box;

/// The role that receives typed numbers.
pub(crate) const NUMBERS: &str = "ipc-channel-numbers";
/// The role that receives bytes.
pub(crate) const BYTES: &str = "ipc-channel-bytes";
/// The role that receives blocks of shared memory.
pub(crate) const SHARED: &str = "ipc-channel-shared";
/// The role that sends every number back.
pub(crate) const ECHO: &str = "ipc-channel-echo";

/// What the child sends first: where to send to, and where its answers come from.
#[derive(Serialize, Deserialize)]
struct Ends<S, T: Serialize> {
    to_child: S,
    from_child: IpcReceiver<T>,
}

/// Numbers a second.
pub(crate) fn numbers(effort: Effort) -> Outcome {
    stream(NUMBERS, effort.count(500_000), |to: &IpcSender<u64>| Ok(to.send(NUMBER)?))
}

/// Payloads a second, as bytes.
pub(crate) fn bytes(effort: Effort, payload: &[u8], full: u64) -> Outcome {
    let count = effort.count(full);
    stream(BYTES, count, |to: &IpcBytesSender| Ok(to.send(payload)?))
}

/// Payloads a second, each copied into shared memory once and lent to the receiver.
pub(crate) fn shared(effort: Effort, payload: &[u8], full: u64) -> Outcome {
    stream(SHARED, effort.count(full), |to: &IpcSender<IpcSharedMemory>| {
        Ok(to.send(IpcSharedMemory::from_bytes(payload))?)
    })
}

/// The time of a number there and back.
pub(crate) fn round_trip(effort: Effort) -> Outcome {
    let count = effort.count(20_000);
    let (_child, ends) = start::<IpcSender<u64>, u64>(ECHO, count + 1)?;
    let trip = || -> Result<u64, Box<dyn Error>> {
        ends.to_child.send(NUMBER)?;
        Ok(ends.from_child.recv()?)
    };
    trip()?;
    let (watch, mut trips) = (Stopwatch::start(), Vec::with_capacity(count as usize));
    for _ in 0..count {
        let (time, done) = timed(trip);
        done?;
        trips.push(time);
    }
    Ok(watch.middle(trips))
}

fn stream<S: Serialize + DeserializeOwned>(
    role: &str,
    count: u64,
    send: impl Fn(&S) -> Result<(), Box<dyn Error>>,
) -> Outcome {
    let (_child, ends) = start::<S, ()>(role, count)?;
    let watch = Stopwatch::start();
    for _ in 0..count {
        send(&ends.to_child)?;
    }
    ends.from_child.recv()?;
    Ok(watch.rate(count))
}

fn start<S, T>(role: &str, count: u64) -> Result<(Child, Ends<S, T>), Box<dyn Error>>
where
    S: Serialize + DeserializeOwned,
    T: Serialize + DeserializeOwned,
{
    let (server, name) = IpcOneShotServer::<Ends<S, T>>::new()?;
    let child = Child::start(role, &[&name, &count.to_string()])?;
    let (_, ends) = server.accept()?;
    Ok((child, ends))
}

/// Plays [`NUMBERS`].
pub(crate) fn receive_numbers(args: &[&str]) -> Result<(), Box<dyn Error>> {
    let (to_child, from_parent) = ipc::channel::<u64>()?;
    receive(args, to_child, || Ok(black_box(from_parent.recv()?)))
}

/// Plays [`BYTES`].
pub(crate) fn receive_bytes(args: &[&str]) -> Result<(), Box<dyn Error>> {
    let (to_child, from_parent) = ipc::bytes_channel()?;
    receive(args, to_child, || Ok(black_box(from_parent.recv()?)))
}

/// Plays [`SHARED`]: looks at one byte of each page.
pub(crate) fn receive_shared(args: &[&str]) -> Result<(), Box<dyn Error>> {
    let (to_child, from_parent) = ipc::channel::<IpcSharedMemory>()?;
    receive(args, to_child, || {
        let block = from_parent.recv()?;
        Ok(black_box(look_at(&block)))
    })
}

fn receive<S: Serialize + DeserializeOwned, M>(
    args: &[&str],
    to_child: S,
    one: impl Fn() -> Result<M, Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let (answer, from_child) = ipc::channel::<()>()?;
    let count = introduce(args, Ends { to_child, from_child })?;
    for _ in 0..count {
        one()?;
    }
    Ok(answer.send(())?)
}

/// Plays [`ECHO`].
pub(crate) fn echo(args: &[&str]) -> Result<(), Box<dyn Error>> {
    let (to_child, from_parent) = ipc::channel::<u64>()?;
    let (answer, from_child) = ipc::channel::<u64>()?;
    let count = introduce(args, Ends { to_child, from_child })?;
    for _ in 0..count {
        answer.send(from_parent.recv()?)?;
    }
    Ok(())
}

/// Sends the parent its ends; answers how many messages will come.
fn introduce<S, T>(args: &[&str], ends: Ends<S, T>) -> Result<u64, Box<dyn Error>>
where
    S: Serialize + DeserializeOwned,
    T: Serialize + DeserializeOwned,
{
    let [name, count] = args else {
        return Err("which server, and how many?".into());
    };
    IpcSender::connect((*name).to_owned())?.send(ends)?;
    Ok(count.parse()?)
}
