//! Maps: many calls of one function.

use super::call::Each;
use super::error::PoolError;
use super::job::{Job, Progress};
use super::ledger::Order;
use super::pool::Pool;
use super::result::{AsyncResult, MapResult, part};
use super::wire::Message;
use procession_sys::Deadline;
use procession_sys::image::{ImageError, Shipped, ship};
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

/// How a map is to be done: see [`Pool::with`].
#[derive(Default)]
pub struct MapBuilder<'a> {
    pool: Option<&'a Pool>,
    chunksize: Option<usize>,
    progress: Option<Progress>,
}

impl<'a> MapBuilder<'a> {
    pub(super) fn new(pool: &'a Pool) -> Self {
        Self { pool: Some(pool), chunksize: None, progress: None }
    }

    /// So many calls are sent together. Without this the number follows from how long calls take.
    ///
    /// # Panics
    /// If it is 0.
    #[must_use]
    pub fn chunksize(mut self, calls: usize) -> Self {
        assert!(calls > 0, "a chunk has at least one call");
        self.chunksize = Some(calls);
        self
    }

    /// Has `progress` told how many calls have ended, whenever that changes; in the thread that waits
    /// for the map.
    #[must_use]
    pub fn progress(mut self, progress: impl Fn(usize) + Send + Sync + 'static) -> Self {
        self.progress = Some(Box::new(progress));
        self
    }

    /// As [`Pool::map`].
    ///
    /// # Errors
    /// As [`Pool::map`].
    pub fn map<A, R>(
        self,
        f: fn(A) -> R,
        items: impl IntoIterator<Item = A>,
    ) -> Result<Vec<R>, PoolError>
    where
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
    {
        self.start(f, items, false)?.collect()
    }

    /// As [`Pool::starmap`].
    ///
    /// # Errors
    /// As [`Pool::map`].
    pub fn starmap<A, B, R>(
        self,
        f: fn(A, B) -> R,
        items: impl IntoIterator<Item = (A, B)>,
    ) -> Result<Vec<R>, PoolError>
    where
        A: Serialize + DeserializeOwned,
        B: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
    {
        let function = shipped(ship::<Each, fn(A, B) -> R>(f))?;
        self.begin(function, items, false).collect()
    }

    /// As [`Pool::map_async`].
    ///
    /// # Errors
    /// As [`Pool::map_async`].
    pub fn map_async<A, R>(
        self,
        f: fn(A) -> R,
        items: impl IntoIterator<Item = A>,
    ) -> Result<MapResult<R>, PoolError>
    where
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
    {
        let mut map = self.start(f, items, false)?;
        while map.feed_one()? {}
        let shared = Arc::clone(&map.pool.shared);
        Ok(MapResult(AsyncResult::new(shared, map.job)))
    }

    /// As [`Pool::imap`].
    ///
    /// # Errors
    /// As [`Pool::imap`].
    pub fn imap<A, R, I>(
        self,
        f: fn(A) -> R,
        items: I,
    ) -> Result<Imap<'a, A, R, I::IntoIter>, PoolError>
    where
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
        I: IntoIterator<Item = A>,
    {
        self.start(f, items, false)
    }

    /// As [`Pool::imap_unordered`].
    ///
    /// # Errors
    /// As [`Pool::imap_unordered`].
    pub fn imap_unordered<A, R, I>(
        self,
        f: fn(A) -> R,
        items: I,
    ) -> Result<Imap<'a, A, R, I::IntoIter>, PoolError>
    where
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
        I: IntoIterator<Item = A>,
    {
        self.start(f, items, true)
    }

    fn start<A, R, I>(
        self,
        f: fn(A) -> R,
        items: I,
        unordered: bool,
    ) -> Result<Imap<'a, A, R, I::IntoIter>, PoolError>
    where
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
        I: IntoIterator<Item = A>,
    {
        let function = shipped(ship::<Each, fn(A) -> R>(f))?;
        Ok(self.begin(function, items, unordered))
    }

    fn begin<A, R, I: IntoIterator<Item = A>>(
        self,
        function: Shipped,
        items: I,
        unordered: bool,
    ) -> Imap<'a, A, R, I::IntoIter> {
        Imap {
            pool: self.pool.expect("made by Pool::with"),
            function,
            items: items.into_iter().peekable(),
            chunksize: self.chunksize,
            job: Arc::new(Job::new(self.progress, unordered)),
            ready: VecDeque::new(),
            scratch: Vec::new(),
            part_bytes: 0,
            _call: std::marker::PhantomData,
        }
    }
}

fn shipped(function: Result<Shipped, ImageError>) -> Result<Shipped, PoolError> {
    function.map_err(|error| PoolError::Start(error.to_string()))
}

impl std::fmt::Debug for MapBuilder<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MapBuilder").field("chunksize", &self.chunksize).finish_non_exhaustive()
    }
}

/// The results of a map, as an iterator: see [`Pool::imap`].
///
/// Arguments are taken from their iterator as results are taken from this one, a bounded number
/// ahead; so the arguments may be without end.
pub struct Imap<'a, A, R, I: Iterator<Item = A>> {
    pool: &'a Pool,
    function: Shipped,
    items: Peekable<I>,
    chunksize: Option<usize>,
    job: Arc<Job>,
    ready: VecDeque<R>,
    scratch: Vec<u8>,
    part_bytes: usize,
    _call: std::marker::PhantomData<fn(A) -> R>,
}

impl<A, R, I> Imap<'_, A, R, I>
where
    A: Serialize + DeserializeOwned,
    R: DeserializeOwned,
    I: Iterator<Item = A>,
{
    /// Submits the next chunk; `false` if there is none.
    fn feed_one(&mut self) -> Result<bool, PoolError> {
        let size = self.chunk();
        let chunk: Vec<A> = self.items.by_ref().take(size).collect();
        if chunk.is_empty() {
            self.job.state().seal();
            return Ok(false);
        }
        let bytes = std::mem::take(&mut self.scratch);
        let message = Message::task(self.function, &chunk, bytes)
            .map_err(|error| PoolError::Transfer(error.to_string()))?;
        self.part_bytes = message.bytes.len();
        let part = self.job.add_part();
        let order = Order {
            job: &self.job,
            part,
            calls: chunk.len(),
            retries: self.pool.retries,
            keep: self.pool.keep,
            message,
        };
        self.scratch = self.pool.shared.ledger().submit(order)?.1;
        Ok(true)
    }

    /// How many calls the next chunk has.
    fn chunk(&self) -> usize {
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

    /// Submits what the window allows; whether there may be more.
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

    fn next_part(&mut self) -> Option<Result<Vec<R>, PoolError>> {
        if let Err(error) = self.feed() {
            return Some(Err(error));
        }
        let has_next = |job: &Job| {
            let state = job.state();
            state.has_next() || state.is_over()
        };
        let job = Arc::clone(&self.job);
        if let Err(error) = self.pool.shared.wait(Deadline::never(), || has_next(&job)) {
            return Some(Err(error));
        }
        let outcome = self.job.state().take_next()?;
        Some(part(&outcome))
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
            if let Some(result) = self.ready.pop_front() {
                return Some(Ok(result));
            }
            match self.next_part()? {
                Ok(results) => self.ready.extend(results),
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
