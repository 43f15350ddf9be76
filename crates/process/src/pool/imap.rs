//! The results of a map as they are wanted, and its arguments a bounded number ahead.

use super::error::PoolError;
use super::job::Job;
use super::pool::Pool;
use super::reply::{Outcome, Results};
use super::result::part;
use super::wire::{Message, TASK_HEAD};
use procession_sys::Deadline;
use procession_sys::image::Shipped;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::VecDeque;
use std::iter::Peekable;
use std::sync::Arc;

/// What an adapted chunk should take a worker, in nanoseconds: enough to hide the cost of sending it.
const TARGET: u64 = 200_000;
/// The most calls in an adapted chunk.
const MOST: usize = 1024;
/// Parts that are under way at most, while they are small.
const WINDOW: usize = 4096;
/// Bytes that are under way at most, as far as the last part tells.
const WINDOW_BYTES: usize = 8 << 20;
/// Outcomes that are taken from the job at once, at most: arguments are fed in between.
const AT_ONCE: usize = 64;

/// The results of a map, as an iterator: see [`Pool::imap`].
///
/// Arguments are taken from their iterator as results are taken from this one, a bounded number
/// ahead; so the arguments may be without end.
pub struct Imap<'a, A, R, I: Iterator<Item = A>> {
    pub(super) pool: &'a Pool,
    function: [u8; TASK_HEAD],
    items: Peekable<I>,
    chunksize: Option<usize>,
    pub(super) job: Arc<Job>,
    /// Outcomes that were taken from the job.
    taken: VecDeque<Outcome>,
    /// Results of the part that was decoded last.
    ready: std::vec::IntoIter<R>,
    /// The memory of chunks and of their messages, used again for the next one.
    chunk: Vec<A>,
    scratch: Vec<u8>,
    part_bytes: usize,
    _call: std::marker::PhantomData<fn(A) -> R>,
}

impl<'a, A, R, I: Iterator<Item = A>> Imap<'a, A, R, I> {
    pub(super) fn new(
        pool: &'a Pool,
        function: Shipped,
        items: I,
        chunksize: Option<usize>,
        job: Arc<Job>,
    ) -> Self {
        Self {
            pool,
            function: function.to_bytes(),
            items: items.peekable(),
            chunksize,
            job,
            taken: VecDeque::new(),
            ready: Vec::new().into_iter(),
            chunk: Vec::new(),
            scratch: Vec::new(),
            part_bytes: 0,
            _call: std::marker::PhantomData,
        }
    }
}

impl<A, R, I> Imap<'_, A, R, I>
where
    A: Serialize + DeserializeOwned,
    R: DeserializeOwned,
    I: Iterator<Item = A>,
{
    /// Submits the next chunk; `false` if there is none.
    pub(super) fn feed_one(&mut self) -> Result<bool, PoolError> {
        let size = self.next_size();
        self.chunk.extend(self.items.by_ref().take(size));
        if self.chunk.is_empty() {
            self.pool.shared.seal(&self.job);
            return Ok(false);
        }
        let bytes = std::mem::take(&mut self.scratch);
        let message = match Message::task(&self.function, &self.chunk, bytes) {
            Ok(message) => message,
            Err(error) => {
                self.chunk.clear();
                return Err(PoolError::Transfer(error.to_string()));
            }
        };
        self.part_bytes = message.bytes.len();
        let submitted = self.pool.shared.submit(&self.job, self.chunk.len(), message);
        self.chunk.clear();
        self.scratch = submitted?;
        Ok(true)
    }

    /// How many calls the next chunk has.
    fn next_size(&self) -> usize {
        if let Some(size) = self.chunksize {
            return size;
        }
        let (nanoseconds, calls) = self.job.state().measured;
        if calls == 0 {
            return 1;
        }
        let fitting = (TARGET * calls / nanoseconds.max(1)) as usize;
        // Towards the end small chunks, so that no worker is left with a large one.
        let left = self.items.size_hint().0 / (4 * self.pool.workers);
        let most = if self.items.size_hint().1.is_some() { left.max(1) } else { MOST };
        fitting.clamp(1, most.min(MOST))
    }

    /// How many parts may be under way.
    fn window(&self) -> usize {
        (WINDOW_BYTES / self.part_bytes.max(1)).clamp(2 * self.pool.workers, WINDOW)
    }

    /// Submits what the window allows.
    fn feed(&mut self) -> Result<(), PoolError> {
        let under_way = |job: &Job| {
            let state = job.state();
            (state.submitted - state.ended, state.sealed)
        };
        let (mut parts, sealed) = under_way(&self.job);
        if sealed || parts > self.window() / 2 {
            return Ok(());
        }
        while parts < self.window() && self.feed_one()? {
            parts += 1;
            if self.chunksize.is_none() && parts >= 4 * self.pool.workers {
                // Until something is measured, a few are enough to measure by.
                let _ = self.pool.shared.take_in_now();
                let measured = self.job.state().measured.1 > 0;
                if !measured {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Takes outcomes from the job, and waits for one; `false` if there will be none.
    fn take(&mut self) -> Result<bool, PoolError> {
        self.feed()?;
        let job = &self.job;
        let has_next = || {
            let state = job.state();
            state.has_next() || state.is_over()
        };
        self.pool.shared.wait(Deadline::never(), has_next)?;
        // Where few parts are under way, their places are given to new ones at once.
        let most = (self.window() / 4).clamp(1, AT_ONCE);
        job.state().take_some(most, &mut self.taken);
        Ok(!self.taken.is_empty())
    }
}

impl<A, R, I> Iterator for Imap<'_, A, R, I>
where
    A: Serialize + DeserializeOwned,
    R: DeserializeOwned,
    I: Iterator<Item = A>,
{
    type Item = Result<R, PoolError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(result) = self.ready.next() {
                return Some(Ok(result));
            }
            let Some(outcome) = self.taken.pop_front() else {
                match self.take() {
                    Ok(true) => continue,
                    Ok(false) => return None,
                    Err(error) => return Some(Err(error)),
                }
            };
            match part(&outcome) {
                Ok(Results::One(result)) => return Some(Ok(result)),
                Ok(Results::Many(results)) => self.ready = results.into_iter(),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

impl<A, R, I: Iterator<Item = A>> std::fmt::Debug for Imap<'_, A, R, I> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Imap").field("job", &self.job).finish_non_exhaustive()
    }
}
