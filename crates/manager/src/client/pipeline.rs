//! Many calls, one way.

use super::answer;
use super::error::ManagerError;
use super::lane;
use super::manager::Manager;
use super::proxy::Proxy;
use super::request::{self, Arguments, Named};
use super::shared::Waits;
use serde::de::DeserializeOwned;
use std::collections::VecDeque;

/// Calls that are sent one behind the other, without waiting for the answers in between; see [`Manager::pipeline`].
#[derive(Debug)]
#[must_use = "nothing is sent before `run`"]
pub struct Pipeline {
    manager: Manager,
    requests: Vec<u8>,
    methods: VecDeque<Box<str>>,
}

/// The answers of a [`Pipeline`], in the order of its calls.
#[derive(Debug)]
pub struct Answers {
    manager: Manager,
    methods: VecDeque<Box<str>>,
    bytes: Vec<u8>,
    ends: VecDeque<usize>,
    at: usize,
}

impl Manager {
    /// Calls to objects of this manager that go out together, over this thread's connection: the manager carries out
    /// one after the other, and one that waits holds up those behind it.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let (tasks, done) = (manager.queue::<u32>()?, manager.event()?);
    /// let mut pipeline = manager.pipeline();
    /// pipeline.call(tasks.proxy(), "put", (7,))?;
    /// pipeline.call(done.proxy(), "set", ())?;
    /// pipeline.call(tasks.proxy(), "get", ())?;
    /// let mut answers = pipeline.run()?;
    /// answers.next::<()>()?;
    /// answers.next::<()>()?;
    /// assert_eq!(answers.next::<u32>()?, 7);
    /// # Ok::<(), ManagerError>(())
    /// ```
    pub fn pipeline(&self) -> Pipeline {
        Pipeline { manager: self.clone(), requests: Vec::new(), methods: VecDeque::new() }
    }
}

impl Pipeline {
    /// Adds a call.
    ///
    /// # Errors
    /// [`ManagerError::Encode`], [`ManagerError::Stale`]; it is not added then.
    ///
    /// # Panics
    /// If the object is another manager's.
    pub fn call(
        &mut self,
        proxy: &Proxy,
        method: &str,
        arguments: impl Arguments,
    ) -> Result<(), ManagerError> {
        assert!(self.manager.has(proxy), "the objects of a pipeline belong to its manager");
        proxy.is_current()?;
        request::call(&mut self.requests, proxy.id(), method, arguments, &Named::default())?;
        self.methods.push_back(method.into());
        Ok(())
    }

    /// How many calls it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.methods.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.methods.is_empty()
    }

    /// Sends all of them, and waits for all answers.
    ///
    /// # Errors
    /// [`ManagerError::Lost`]: then it is not known which were carried out.
    pub fn run(self) -> Result<Answers, ManagerError> {
        let Self { manager, requests, methods } = self;
        let mut bytes = Vec::new();
        let mut ends = VecDeque::with_capacity(methods.len());
        let shared = manager.shared();
        lane::with(shared, |link| {
            let deadline = shared.deadline(Waits::ForEver);
            link.exchange(&requests, methods.len(), deadline, |answer| {
                bytes.extend_from_slice(answer);
                ends.push_back(bytes.len());
            })
        })?;
        Ok(Answers { manager, methods, bytes, ends, at: 0 })
    }
}

impl Answers {
    /// What came of the next call.
    ///
    /// # Errors
    /// As [`Proxy::call`].
    ///
    /// # Panics
    /// If there were not so many calls.
    #[expect(clippy::should_implement_trait, reason = "each answer has its own type")]
    pub fn next<R: DeserializeOwned>(&mut self) -> Result<R, ManagerError> {
        let end = self.ends.pop_front().expect("the pipeline had so many calls");
        let method = self.methods.pop_front().unwrap_or_default();
        let start = std::mem::replace(&mut self.at, end);
        answer::value(self.manager.shared(), &method, &self.bytes[start..end])
    }

    /// How many are left.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether none is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}
