//! `Lock` and `RLock`. Who has it is a connection, that is a thread of a client.

use super::arena::Place;
use super::arena::word::Word;
use super::call::{Answer, Call, Called, Fault, Hosted, Outcome, Owner, Turn, seconds, truth};
use super::raise;
use crate::memory::bells::Bells;
use procession_wire::message::Exception;
use procession_wire::value::Value;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

/// A lock, which a condition may share.
pub(crate) type Shared = Rc<RefCell<Lock>>;

/// A lock and the line for it. The line is empty while nobody has it, unless others can have it without the server: then
/// those who stand there hear of it a little later.
#[derive(Debug)]
pub(crate) struct Lock {
    reentrant: bool,
    holder: Option<(Owner, u64)>,
    line: VecDeque<Waiting>,
    /// Where the lock is, if clients share it. What `holder` says counts only while the word is the server's then.
    word: Option<Word>,
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
        Self::over(reentrant, None)
    }

    fn over(reentrant: bool, word: Option<Word>) -> Shared {
        Rc::new(RefCell::new(Self { reentrant, holder: None, line: VecDeque::new(), word }))
    }

    /// Takes it for `owner`, if it is free.
    fn take(&mut self, owner: Owner, depth: u64) -> bool {
        let taken = self.word.as_ref().map_or(self.holder.is_none(), Word::take);
        if taken {
            self.holder = Some((owner, depth));
        }
        taken
    }

    fn is_free(&self) -> bool {
        self.word.as_ref().map_or(self.holder.is_none(), Word::is_free)
    }

    /// Who of the server's clients has it.
    fn holder(&self) -> Option<(Owner, u64)> {
        self.holder.filter(|_| self.word.as_ref().is_none_or(Word::is_ours))
    }

    fn acquire(&mut self, timeout: Option<f64>, turn: &mut Turn<'_>) -> Called {
        if self.deepen(turn.owner) || self.take(turn.owner, 1) {
            return Ok(Value::Bool(true).into());
        }
        if timeout == Some(0.0) {
            return Ok(Value::Bool(false).into());
        }
        self.line.push_back(Waiting { owner: turn.owner, depth: 1, says: true });
        if let Err(error) = self.settle() {
            self.line.pop_back();
            return Err(raise::runtime_error(error.to_string()).into());
        }
        Ok(Outcome::Wait(turn.deadline(timeout)))
    }

    /// Takes a reentrant lock once more, if `owner` has it.
    fn deepen(&mut self, owner: Owner) -> bool {
        match &mut self.holder {
            Some((holder, depth)) if self.reentrant && *holder == owner => {
                *depth += 1;
                true
            }
            _ => false,
        }
    }

    fn release(&mut self, turn: &mut Turn<'_>) -> Result<(), Exception> {
        if self.reentrant {
            match &mut self.holder {
                Some((owner, depth)) if *owner == turn.owner && *depth > 1 => {
                    *depth -= 1;
                    return Ok(());
                }
                Some((owner, _)) if *owner == turn.owner => {}
                _ => return Err(raise::runtime_error("cannot release un-acquired lock")),
            }
        } else if self.is_free() {
            return Err(raise::runtime_error("release unlocked lock"));
        }
        self.pass_on(turn);
        Ok(())
    }

    /// Whether `owner` may wait on a condition of this lock.
    pub(crate) fn is_owned(&self, owner: Owner) -> bool {
        if self.reentrant { self.is_held_by(owner) } else { !self.is_free() }
    }

    /// Whether it is `owner` who has it.
    pub(crate) fn is_held_by(&self, owner: Owner) -> bool {
        self.holder().is_some_and(|(holder, _)| holder == owner)
    }

    /// Frees it altogether and says how deep it was held.
    pub(crate) fn lay_down(&mut self, turn: &mut Turn<'_>) -> u64 {
        let depth = self.holder().map_or(1, |(_, depth)| depth);
        self.pass_on(turn);
        depth
    }

    /// Puts `owner`, who laid it down, in line again, to be told `says` when it has the lock.
    pub(crate) fn take_up(&mut self, owner: Owner, depth: u64, says: bool, turn: &mut Turn<'_>) {
        self.line.push_back(Waiting { owner, depth, says });
        self.look(turn);
    }

    fn pass_on(&mut self, turn: &mut Turn<'_>) {
        self.holder = None;
        if let Some(word) = &self.word {
            word.free();
        }
        self.look(turn);
    }

    /// Gives it to the next in line, if it is free.
    fn look(&mut self, turn: &mut Turn<'_>) {
        if let Some((owner, depth)) = self.line.front().map(|next| (next.owner, next.depth))
            && self.take(owner, depth)
            && let Some(next) = self.line.pop_front()
        {
            turn.wake(next.owner, Answer::Value(Value::Bool(next.says)));
        }
        // If a bell cannot be hung here, that of the next who comes will be.
        let _ = self.settle();
    }

    fn settle(&mut self) -> Result<(), procession_ipc::Error> {
        let is_waited = !self.line.is_empty();
        self.word.as_mut().map_or(Ok(()), |word| word.settle(is_waited))
    }

    /// What a lock of its own and a condition's lock both can.
    pub(crate) fn call(&mut self, call: &Call<'_>, turn: &mut Turn<'_>) -> Called {
        match call.method {
            "acquire" => {
                let [blocking, timeout] = call.bind(["blocking", "timeout"], 0)?;
                let timeout = patience(truth(blocking, true)?, seconds(timeout)?)?;
                self.acquire(timeout, turn)
            }
            "release" => {
                call.none()?;
                Ok(self.release(turn).map(|()| Value::None.into())?)
            }
            "locked" => {
                call.none()?;
                Ok(Value::Bool(!self.is_free()).into())
            }
            _ => Err(Fault::NoMethod),
        }
    }

    /// The wait of `owner` for the lock itself is over.
    pub(crate) fn expire(&mut self, owner: Owner) -> Option<Answer> {
        self.line.retain(|waiting| waiting.owner != owner);
        let _ = self.settle();
        Some(Answer::Value(Value::Bool(false)))
    }

    pub(crate) fn leave(&mut self, owner: Owner, turn: &mut Turn<'_>) {
        self.line.retain(|waiting| waiting.owner != owner);
        if self.is_held_by(owner) {
            self.pass_on(turn);
        } else {
            let _ = self.settle();
        }
    }

    pub(crate) fn repr(&self, address: &str) -> String {
        let state = if self.is_free() { "unlocked" } else { "locked" };
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
    /// From the arguments of `Lock()`: there are none. It lies in the arena if there is one.
    pub(crate) fn create(
        call: &Call<'_>,
        bells: Option<&Rc<Bells>>,
    ) -> Result<Box<dyn Hosted>, Fault> {
        call.none()?;
        let word = bells
            .map(Word::new)
            .transpose()
            .map_err(|error| raise::memory_error(error.to_string()))?;
        Ok(Box::new(Self(Lock::over(false, word))))
    }

    /// From the arguments of `RLock()`: there are none.
    pub(crate) fn create_reentrant(call: &Call<'_>) -> Result<Box<dyn Hosted>, Fault> {
        call.none()?;
        Ok(Box::new(Self(Lock::new(true))))
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

    fn share(&mut self, _turn: &mut Turn<'_>) -> Option<Place> {
        self.0.borrow().word.as_ref().map(Word::place)
    }

    fn number(&self) -> Option<u64> {
        self.0.borrow().word.as_ref().map(Word::number)
    }

    fn look(&mut self, turn: &mut Turn<'_>) {
        self.0.borrow_mut().look(turn);
    }

    fn lock(&self) -> Option<Shared> {
        Some(Rc::clone(&self.0))
    }
}
