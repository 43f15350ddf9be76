//! A worker's place at a pool: where its tasks come from, and where its results go.

use super::block::{Block, Seat};
use super::wire::{Mail, Message, Status, put_parcel};
use procession_ipc::byte_queue::{ByteQueue, Got};
use procession_ipc::message::Parcel;
use procession_ipc::{Error, Shareable};
use procession_shm::{Family, Handle};
use procession_sys::atomic::Ordering::{Relaxed, Release};
use procession_sys::{Deadline, crash_point, pid};
use serde::{Deserialize, Serialize};

/// A worker's place at a pool. The worker has it, and nobody else.
#[derive(Debug, Serialize, Deserialize)]
pub struct Post {
    tasks: ByteQueue,
    results: ByteQueue,
    block: Block,
    number: usize,
    watched: bool,
}

/// A task that a worker has taken.
#[derive(Debug)]
pub struct Work {
    /// The task's number, which its result names.
    pub task: u64,
    /// What is to be done.
    pub mail: Mail,
}

/// What a process that was started anew is told of its post: plain words.
#[derive(Clone, Copy, Debug)]
pub struct PostAddress {
    /// The queue of tasks, the queue of results, the block.
    pub handles: [Handle; 3],
    /// Which worker it is, from 0.
    pub number: usize,
    /// Whether tasks have a time limit.
    pub watched: bool,
}

impl Post {
    pub(super) fn new(
        tasks: &ByteQueue,
        results: &ByteQueue,
        block: &Block,
        number: usize,
        watched: bool,
    ) -> Self {
        let copy = |queue: &ByteQueue| ByteQueue::of(queue.held().clone());
        let (tasks, results) = (copy(tasks), copy(results));
        Self { tasks, results, block: block.share(), number, watched }
    }

    /// Which worker it is, from 0.
    pub fn number(&self) -> usize {
        self.number
    }

    /// The family in which the pool lives.
    pub fn family(&self) -> &'static Family {
        self.tasks.held().family()
    }

    /// What to tell a process that is not a fork of this one.
    ///
    /// The words alone do not keep the post in being; whoever tells them keeps it until the process has
    /// [attached](Self::attach) it.
    pub fn address(&self) -> PostAddress {
        PostAddress {
            handles: [self.tasks.handle(), self.results.handle(), self.block.handle()],
            number: self.number,
            watched: self.watched,
        }
    }

    /// The post at that address of `family`.
    ///
    /// # Errors
    /// [`Error::Shm`] if the pool is gone.
    pub fn attach(family: &'static Family, address: PostAddress) -> Result<Self, Error> {
        let PostAddress { handles: [tasks, results, block], number, watched } = address;
        Ok(Self {
            tasks: ByteQueue::attach(family, tasks)?,
            results: ByteQueue::attach(family, results)?,
            block: Block::attach(family, block)?,
            number,
            watched,
        })
    }

    fn seat(&self) -> &'static Seat {
        self.block.seat(self.number)
    }

    /// Says which member this worker is, so that it is buried without anybody's having to look for it.
    pub fn sit_down(&self) {
        self.seat().member.store(self.family().me().to_word(), Release);
    }

    /// Says that the initializer has returned.
    pub fn be_ready(&self) {
        self.seat().ready.store(1, Release);
    }

    /// Says that the initializer has failed: the pool ends.
    ///
    /// # Errors
    /// As of a put.
    pub fn give_up(&self, why: &str) -> Result<(), Error> {
        Message::report(0, Status::NoWorker, &why.to_owned())?.put(&self.results).map(drop)
    }

    /// Takes the next task; its bytes into `bytes`, unless they are a parcel. Waits until the deadline, or
    /// until `interrupt`, which is asked at least twice a second, says that it is enough.
    ///
    /// # Errors
    /// [`Error::Closed`] if there will be none, and those of [`ByteQueue::get_until`].
    ///
    /// # If a process dies
    /// From here on the task is this worker's, and is lost with it, until its result was put.
    #[inline]
    pub fn get(
        &self,
        bytes: &mut Vec<u8>,
        deadline: Deadline,
        interrupt: impl FnMut() -> bool,
    ) -> Result<Work, Error> {
        let claim = Some(self.block.claim_at(self.number));
        let got = self.tasks.get_until(bytes, claim, deadline, interrupt)?;
        crash_point!("pool.worker.after_claim");
        let task = self.seat().claim.load(Relaxed) >> 1;
        if self.watched {
            self.seat().since.store(pid::milliseconds() + 1, Relaxed);
        }
        let mail = match got {
            Got::Message { format, .. } => Mail::Own { format, bytes: std::mem::take(bytes) },
            Got::Parcel(parcel) => Mail::Parcel(parcel),
        };
        Ok(Work { task, mail })
    }

    /// Whether the task was taken back and is to be skipped.
    pub fn is_cancelled(&self, task: u64) -> bool {
        self.block.is_cancelled(task)
    }

    /// Puts the result of a task.
    ///
    /// # Errors
    /// As of a put.
    #[inline]
    pub fn put(&self, result: &Message) -> Result<(), Error> {
        self.send(|results| result.put(results))
    }

    /// As [`put`](Self::put), of a result that was written into a parcel; see [`Message::begin_result`] for its
    /// head.
    ///
    /// # Errors
    /// As of a put.
    pub fn put_parcel(&self, result: Parcel) -> Result<(), Error> {
        self.send(|results| put_parcel(result, results))
    }

    #[inline]
    fn send(&self, put: impl FnOnce(&ByteQueue) -> Result<u64, Error>) -> Result<(), Error> {
        crash_point!("pool.worker.before_result");
        put(&self.results)?;
        crash_point!("pool.worker.after_result");
        if self.watched {
            self.seat().since.store(0, Relaxed);
        }
        Ok(())
    }
}
