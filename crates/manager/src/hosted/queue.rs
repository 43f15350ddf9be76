//! `Queue` and `JoinableQueue`: CPython's `queue.Queue`, with two lines of waiters.

use super::call::{
    Answer, Call, Called, Fault, Hosted, Outcome, Owner, Turn, plain, seconds, truth,
};
use super::raise;
use super::store::Kept;
use procession_wire::message::{Argument, Exception};
use procession_wire::value::Value;
use std::collections::VecDeque;
use std::rc::Rc;

/// A queue. Either the line of getters is empty or there are no items; the putters wait only while it is full.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    items: VecDeque<Rc<Kept>>,
    /// 0 is unbounded.
    most: usize,
    getters: VecDeque<Owner>,
    putters: VecDeque<(Owner, Rc<Kept>)>,
    joiners: Vec<Owner>,
    unfinished: usize,
    shut: bool,
}

pub(super) const EXPOSED: &[&str] = &[
    "empty",
    "full",
    "get",
    "get_nowait",
    "join",
    "put",
    "put_nowait",
    "qsize",
    "shutdown",
    "task_done",
];

impl Queue {
    /// From the arguments of `Queue(maxsize=0)`.
    pub(crate) fn create(call: &Call<'_>) -> Result<Box<dyn Hosted>, Fault> {
        Ok(Box::new(Self { most: most(call)?, ..Self::default() }))
    }

    fn is_full(&self) -> bool {
        self.most > 0 && self.items.len() >= self.most
    }

    fn put(
        &mut self,
        item: &Argument<'_>,
        block: bool,
        timeout: Option<f64>,
        turn: &mut Turn<'_>,
    ) -> Called {
        if self.shut {
            return Err(raise::shut_down().into());
        }
        if !self.is_full() {
            let item = turn.store.keep(item)?;
            self.accept(item, turn);
            return Ok(Value::None.into());
        }
        let timeout = patience(block, timeout)?;
        if timeout == Some(0.0) {
            return Err(raise::full().into());
        }
        self.putters.push_back((turn.owner, turn.store.keep(item)?));
        Ok(Outcome::Wait(turn.deadline(timeout)))
    }

    fn accept(&mut self, item: Rc<Kept>, turn: &mut Turn<'_>) {
        self.unfinished = self.unfinished.saturating_add(1);
        match self.getters.pop_front() {
            Some(getter) => turn.wake(getter, Answer::Item(item)),
            None => self.items.push_back(item),
        }
    }

    fn get(&mut self, block: bool, timeout: Option<f64>, turn: &mut Turn<'_>) -> Called {
        if let Some(item) = self.items.pop_front() {
            self.admit(turn);
            return Ok(Outcome::Done(Answer::Item(item)));
        }
        if self.shut {
            return Err(raise::shut_down().into());
        }
        let timeout = patience(block, timeout)?;
        if timeout == Some(0.0) {
            return Err(raise::empty().into());
        }
        self.getters.push_back(turn.owner);
        Ok(Outcome::Wait(turn.deadline(timeout)))
    }

    /// Lets putters in while there is room.
    fn admit(&mut self, turn: &mut Turn<'_>) {
        while !self.is_full() {
            let Some((putter, item)) = self.putters.pop_front() else { return };
            self.accept(item, turn);
            turn.wake(putter, Answer::Value(Value::None));
        }
    }

    fn release_joiners(&mut self, turn: &mut Turn<'_>) {
        for joiner in self.joiners.drain(..) {
            turn.wake(joiner, Answer::Value(Value::None));
        }
    }

    fn task_done(&mut self, turn: &mut Turn<'_>) -> Result<(), Exception> {
        if self.unfinished == 0 {
            return Err(raise::value_error("task_done() called too many times"));
        }
        self.unfinished -= 1;
        if self.unfinished == 0 {
            self.release_joiners(turn);
        }
        Ok(())
    }

    fn shutdown(&mut self, immediate: bool, turn: &mut Turn<'_>) {
        self.shut = true;
        if immediate {
            self.unfinished = self.unfinished.saturating_sub(self.items.len());
            self.items.clear();
            // CPython's look again, and wait on while something is unfinished.
            if self.unfinished == 0 {
                self.release_joiners(turn);
            }
        }
        for getter in self.getters.drain(..) {
            turn.wake(getter, Answer::Raise(raise::shut_down()));
        }
        for (putter, _) in self.putters.drain(..) {
            turn.wake(putter, Answer::Raise(raise::shut_down()));
        }
    }
}

/// A call of a queue, wherever its items lie.
pub(super) enum Request<'a> {
    /// An item; whether to wait, and how many seconds.
    Put(&'a Argument<'a>, bool, Option<f64>),
    /// Whether to wait, and how many seconds.
    Get(bool, Option<f64>),
    /// Whether at once.
    Shutdown(bool),
    /// Any other method, without arguments.
    Plain(&'a str),
}

impl<'a> Request<'a> {
    pub(super) fn of(call: &'a Call<'a>) -> Result<Self, Fault> {
        Ok(match call.method {
            "put" => {
                let [item, block, timeout] = call.bind(["item", "block", "timeout"], 1)?;
                Self::Put(item.ok_or(Fault::NoMethod)?, truth(block, true)?, seconds(timeout)?)
            }
            "put_nowait" => {
                let [item] = call.bind(["item"], 1)?;
                Self::Put(item.ok_or(Fault::NoMethod)?, false, None)
            }
            "get" => {
                let [block, timeout] = call.bind(["block", "timeout"], 0)?;
                Self::Get(truth(block, true)?, seconds(timeout)?)
            }
            "get_nowait" => {
                call.none()?;
                Self::Get(false, None)
            }
            "shutdown" => {
                let [immediate] = call.bind(["immediate"], 0)?;
                Self::Shutdown(truth(immediate, false)?)
            }
            method => {
                call.none()?;
                Self::Plain(method)
            }
        })
    }
}

/// How many items fit, from the arguments of `Queue(maxsize=0)`; 0 is unbounded.
pub(super) fn most(call: &Call<'_>) -> Result<usize, Fault> {
    let [most] = call.bind(["maxsize"], 0)?;
    match most.map(|most| plain(most, "a queue's size")).transpose()? {
        None => Ok(0),
        Some(value) => match value.as_int() {
            Some(most) => Ok(usize::try_from(most.max(0)).unwrap_or(usize::MAX)),
            None => Err(raise::type_error("maxsize must be a number").into()),
        },
    }
}

/// How long a call waits: zero seconds, some, or (`None`) for ever.
pub(super) fn patience(block: bool, timeout: Option<f64>) -> Result<Option<f64>, Exception> {
    match timeout {
        _ if !block => Ok(Some(0.0)),
        Some(timeout) if timeout < 0.0 => {
            Err(raise::value_error("'timeout' must be a non-negative number"))
        }
        timeout => Ok(timeout),
    }
}

impl Hosted for Queue {
    fn exposed(&self) -> &'static [&'static str] {
        EXPOSED
    }

    fn call(&mut self, call: &Call<'_>, turn: &mut Turn<'_>) -> Called {
        match Request::of(call)? {
            Request::Put(item, block, timeout) => self.put(item, block, timeout, turn),
            Request::Get(block, timeout) => self.get(block, timeout, turn),
            Request::Shutdown(immediate) => {
                self.shutdown(immediate, turn);
                Ok(Value::None.into())
            }
            Request::Plain("qsize") => Ok(Value::from(self.items.len()).into()),
            Request::Plain("empty") => Ok(Value::Bool(self.items.is_empty()).into()),
            Request::Plain("full") => Ok(Value::Bool(self.is_full()).into()),
            Request::Plain("task_done") => Ok(self.task_done(turn).map(|()| Value::None.into())?),
            Request::Plain("join") if self.unfinished == 0 => Ok(Value::None.into()),
            Request::Plain("join") => {
                self.joiners.push(turn.owner);
                Ok(Outcome::Wait(None))
            }
            Request::Plain(_) => Err(Fault::NoMethod),
        }
    }

    fn expire(&mut self, owner: Owner, _turn: &mut Turn<'_>) -> Option<Answer> {
        if let Some(place) = self.getters.iter().position(|getter| *getter == owner) {
            self.getters.remove(place);
            return Some(Answer::Raise(raise::empty()));
        }
        self.putters.retain(|(putter, _)| *putter != owner);
        Some(Answer::Raise(raise::full()))
    }

    fn leave(&mut self, owner: Owner, _turn: &mut Turn<'_>) {
        self.getters.retain(|getter| *getter != owner);
        self.putters.retain(|(putter, _)| *putter != owner);
        self.joiners.retain(|joiner| *joiner != owner);
    }

    fn give_back(&mut self, item: Rc<Kept>, turn: &mut Turn<'_>) {
        match self.getters.pop_front() {
            Some(getter) => turn.wake(getter, Answer::Item(item)),
            None => self.items.push_front(item),
        }
    }

    fn repr(&self, address: &str) -> Result<String, Fault> {
        Ok(format!("<queue.Queue object at 0x{address}>"))
    }
}
