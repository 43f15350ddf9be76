//! `Iterator`: what a dict's or a set's `__iter__` gives, over what was in it at that moment.

use super::call::{Answer, Call, Called, Fault, Hosted, Outcome, Turn};
use super::raise;
use super::store::Kept;
use std::collections::VecDeque;
use std::rc::Rc;

/// What is still to come.
#[derive(Debug)]
pub(crate) struct Iterator(VecDeque<Rc<Kept>>);

impl Iterator {
    pub(crate) fn over(items: impl IntoIterator<Item = Rc<Kept>>) -> Box<dyn Hosted> {
        Box::new(Self(items.into_iter().collect()))
    }
}

impl Hosted for Iterator {
    fn exposed(&self) -> &'static [&'static str] {
        &["__next__", "send", "throw", "close"]
    }

    fn call(&mut self, call: &Call<'_>, _turn: &mut Turn<'_>) -> Called {
        if call.method != "__next__" {
            return Err(Fault::NoMethod);
        }
        let next = self.0.pop_front().ok_or_else(raise::stop_iteration)?;
        Ok(Outcome::Done(Answer::Payload(next)))
    }

    fn repr(&self, address: &str) -> Result<String, Fault> {
        Ok(format!("<iterator object at 0x{address}>"))
    }
}
