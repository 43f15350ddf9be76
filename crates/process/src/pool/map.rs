//! Maps: many calls of one function.

use super::call::Each;
use super::error::PoolError;
use super::imap::Imap;
use super::job::{Job, Progress};
use super::pool::Pool;
use super::result::{AsyncResult, MapResult};
use procession_sys::image::{ImageError, Shipped, ship};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;

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

    /// Has `progress` told how many calls have ended, whenever that changes; in a thread that waits
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
        let function = match self.chunksize {
            None => ship::<Each<true>, fn(A, B) -> R>(f),
            Some(_) => ship::<Each<false>, fn(A, B) -> R>(f),
        };
        let function = shipped(function)?;
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
        Ok(MapResult(AsyncResult::new(Arc::clone(&map.pool.shared), map.job)))
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
        let function = match self.chunksize {
            None => ship::<Each<true>, fn(A) -> R>(f),
            Some(_) => ship::<Each<false>, fn(A) -> R>(f),
        };
        let function = shipped(function)?;
        Ok(self.begin(function, items, unordered))
    }

    fn begin<A, R, I: IntoIterator<Item = A>>(
        self,
        function: Shipped,
        items: I,
        unordered: bool,
    ) -> Imap<'a, A, R, I::IntoIter> {
        let pool = self.pool.expect("made by Pool::with");
        let job = Arc::new(Job::new(self.progress, unordered));
        Imap::new(pool, function, items.into_iter(), self.chunksize, job)
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
