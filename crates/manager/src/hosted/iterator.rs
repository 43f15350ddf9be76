//! `Iterator`: what a dict's or a set's `__iter__` gives. It ends with an error once the container has another size.

use super::call::{Answer, Call, Called, Fault, Hosted, Outcome, Turn};
use super::raise;
use super::store::Kept;
use std::cell::Cell;
use std::collections::VecDeque;
use std::rc::Rc;

/// How many there are in a container, as its iterators see it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Size(Rc<Cell<usize>>);

impl Size {
    /// So many from now on.
    pub(crate) fn set(&self, size: usize) {
        self.0.set(size);
    }
}

/// What is still to come, and of how many in all.
#[derive(Debug)]
pub(crate) struct Iterator {
    left: VecDeque<Rc<Kept>>,
    container: &'static str,
    size: Size,
    begun_at: Option<usize>,
}

impl Iterator {
    /// Over these, of a container which is called that in messages.
    pub(crate) fn over(
        items: impl IntoIterator<Item = Rc<Kept>>,
        container: &'static str,
        size: &Size,
    ) -> Box<dyn Hosted> {
        let left = items.into_iter().collect();
        Box::new(Self { left, container, size: size.clone(), begun_at: Some(size.0.get()) })
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
        if self.left.is_empty() {
            return Err(raise::stop_iteration().into());
        }
        if self.begun_at != Some(self.size.0.get()) {
            // Also once it has that size again.
            self.begun_at = None;
            let text = format!("{} changed size during iteration", self.container);
            return Err(raise::runtime_error(text).into());
        }
        let next = self.left.pop_front().ok_or_else(raise::stop_iteration)?;
        Ok(Outcome::Done(Answer::Payload(next)))
    }

    fn repr(&self, address: &str) -> Result<String, Fault> {
        Ok(format!("<iterator object at 0x{address}>"))
    }
}
