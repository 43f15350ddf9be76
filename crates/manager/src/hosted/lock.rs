//! `Lock` and `RLock`. Who has it is a connection, that is a thread of a client.

use super::call::{Answer, Call, Called, Fault, Hosted, Outcome, Owner, Turn, seconds, truth};
use super::raise;
use procession_wire::message::Exception;
use procession_wire::value::Value;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

/// A lock, which a condition may share.
pub(crate) type Shared = Rc<RefCell<Lock>>;

/// A lock and the line for it. The line is empty while nobody has it.
#[derive(Debug)]
pub(crate) struct Lock {
    reentrant: bool,
    holder: Option<(Owner, u64)>,
    line: VecDeque<Waiting>,
}

/// Somebody in line: how deep it will hold, and what it is told then.
#[derive(Debug)]
struct Waiting {
    owner: Owner,
    depth: u64,
    says: bool,
}

impl Lock {
    pub(crate) fn new(reentrant: bool) -> Shared {
        Rc::new(RefCell::new(Self { reentrant, holder: None, line: VecDeque::new() }))
    }

    fn acquire(&mut self, timeout: Option<f64>, turn: &mut Turn<'_>) -> Outcome {
        match &mut self.holder {
            None => self.holder = Some((turn.owner, 1)),
            Some((owner, depth)) if self.reentrant && *owner == turn.owner => *depth += 1,
            Some(_) if timeout == Some(0.0) => return Value::Bool(false).into(),
            Some(_) => {
                self.line.push_back(Waiting { owner: turn.owner, depth: 1, says: true });
                return Outcome::Wait(turn.deadline(timeout));
            }
        }
        Value::Bool(true).into()
    }

    fn release(&mut self, turn: &mut Turn<'_>) -> Result<(), Exception> {
        match &mut self.holder {
            Some((owner, depth)) if self.reentrant && *owner == turn.owner => {
                *depth -= 1;
                if *depth == 0 {
                    self.pass_on(turn);
                }
                Ok(())
            }
            _ if self.reentrant => Err(raise::runtime_error("cannot release un-acquired lock")),
            Some(_) => {
                self.pass_on(turn);
                Ok(())
            }
            None => Err(raise::runtime_error("release unlocked lock")),
        }
    }

    /// Whether `owner` may wait on a condition of this lock.
    pub(crate) fn is_owned(&self, owner: Owner) -> bool {
        self.holder.is_some_and(|(holder, _)| !self.reentrant || holder == owner)
    }

    /// Whether it is `owner` who has it.
    pub(crate) fn is_held_by(&self, owner: Owner) -> bool {
        self.holder.is_some_and(|(holder, _)| holder == owner)
    }

    /// Frees it altogether and says how deep it was held.
    pub(crate) fn lay_down(&mut self, turn: &mut Turn<'_>) -> u64 {
        let depth = self.holder.map_or(1, |(_, depth)| depth);
        self.pass_on(turn);
        depth
    }

    /// Puts `owner`, who laid it down, in line again, to be told `says` when it has the lock.
    pub(crate) fn take_up(&mut self, owner: Owner, depth: u64, says: bool, turn: &mut Turn<'_>) {
        self.line.push_back(Waiting { owner, depth, says });
        if self.holder.is_none() {
            self.pass_on(turn);
        }
    }

    fn pass_on(&mut self, turn: &mut Turn<'_>) {
        self.holder = self.line.pop_front().map(|next| {
            turn.wake(next.owner, Answer::Value(Value::Bool(next.says)));
            (next.owner, next.depth)
        });
    }

    /// What a lock of its own and a condition's lock both can.
    pub(crate) fn call(&mut self, call: &Call<'_>, turn: &mut Turn<'_>) -> Called {
        match call.method {
            "acquire" => {
                let [blocking, timeout] = call.bind(["blocking", "timeout"], 0)?;
                let timeout = patience(truth(blocking, true)?, seconds(timeout)?)?;
                Ok(self.acquire(timeout, turn))
            }
            "release" => {
                call.none()?;
                Ok(self.release(turn).map(|()| Value::None.into())?)
            }
            "locked" => {
                call.none()?;
                Ok(Value::Bool(self.holder.is_some()).into())
            }
            _ => Err(Fault::NoMethod),
        }
    }

    /// The wait of `owner` for the lock itself is over.
    pub(crate) fn expire(&mut self, owner: Owner) -> Option<Answer> {
        self.line.retain(|waiting| waiting.owner != owner);
        Some(Answer::Value(Value::Bool(false)))
    }

    pub(crate) fn leave(&mut self, owner: Owner, turn: &mut Turn<'_>) {
        self.line.retain(|waiting| waiting.owner != owner);
        if self.holder.is_some_and(|(holder, _)| holder == owner) {
            self.pass_on(turn);
        }
    }

    pub(crate) fn repr(&self, address: &str) -> String {
        let state = if self.holder.is_some() { "locked" } else { "unlocked" };
        if self.reentrant {
            let (owner, count) = self.holder.unwrap_or((0, 0));
            format!("<{state} _thread.RLock object owner={owner} count={count} at 0x{address}>")
        } else {
            format!("<{state} _thread.lock object at 0x{address}>")
        }
    }
}

/// How long `acquire` waits, in the rules of `threading.Lock`.
fn patience(blocking: bool, timeout: Option<f64>) -> Result<Option<f64>, Exception> {
    match timeout {
        None => Ok((!blocking).then_some(0.0)),
        Some(-1.0) => Ok((!blocking).then_some(0.0)),
        Some(_) if !blocking => {
            Err(raise::value_error("can't specify a timeout for a non-blocking call"))
        }
        Some(timeout) if timeout < 0.0 => {
            Err(raise::value_error("timeout value must be a non-negative number"))
        }
        timeout => Ok(timeout),
    }
}

/// A lock as an object of its own.
#[derive(Debug)]
pub(crate) struct LockObject(Shared);

impl LockObject {
    /// From the arguments of `Lock()` and `RLock()`: there are none.
    pub(crate) fn create(call: &Call<'_>, reentrant: bool) -> Result<Box<dyn Hosted>, Fault> {
        call.none()?;
        Ok(Box::new(Self(Lock::new(reentrant))))
    }
}

impl Hosted for LockObject {
    fn exposed(&self) -> &'static [&'static str] {
        &["acquire", "locked", "release"]
    }

    fn call(&mut self, call: &Call<'_>, turn: &mut Turn<'_>) -> Called {
        self.0.borrow_mut().call(call, turn)
    }

    fn expire(&mut self, owner: Owner, _turn: &mut Turn<'_>) -> Option<Answer> {
        self.0.borrow_mut().expire(owner)
    }

    fn leave(&mut self, owner: Owner, turn: &mut Turn<'_>) {
        self.0.borrow_mut().leave(owner, turn);
    }

    fn repr(&self, address: &str) -> Result<String, Fault> {
        Ok(self.0.borrow().repr(address))
    }

    fn lock(&self) -> Option<Shared> {
        Some(Rc::clone(&self.0))
    }
}
