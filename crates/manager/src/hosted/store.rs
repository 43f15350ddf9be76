//! Payloads that are kept: counted, and pinning the objects that they name.
//!
//! Without the count one client could fill the memory of all; without the pins an object would die while its only proxy
//! lies in a queue.

use super::call::Fault;
use super::raise;
use procession_wire::message::{Argument, Exception, Payload};
use procession_wire::value::Value;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

/// What a payload takes beside its bytes: the place in its container, and what keeps it together.
const OVERHEAD: usize = 96;

/// Everything that is kept.
#[derive(Debug)]
pub(crate) struct Store {
    limit: usize,
    used: Cell<usize>,
    pins: RefCell<HashMap<Box<str>, usize>>,
    unpinned: RefCell<Vec<Box<str>>>,
}

impl Store {
    pub(crate) fn new(limit: usize) -> Rc<Self> {
        Rc::new(Self {
            limit,
            used: Cell::new(0),
            pins: RefCell::default(),
            unpinned: RefCell::default(),
        })
    }

    /// How many bytes are taken.
    pub(crate) fn used(&self) -> usize {
        self.used.get()
    }

    /// Takes `bytes`, or says that the server is full.
    pub(crate) fn take(&self, bytes: usize) -> Result<(), Exception> {
        let used = self.used.get().saturating_add(bytes);
        if used > self.limit {
            return Err(raise::memory_error(format!(
                "the server keeps {} bytes, and {bytes} more would exceed its limit of {}",
                self.used.get(),
                self.limit
            )));
        }
        self.used.set(used);
        Ok(())
    }

    /// Gives `bytes` back.
    pub(crate) fn free(&self, bytes: usize) {
        self.used.set(self.used.get().saturating_sub(bytes));
    }

    /// Whether `copies` of something of `bytes` each would fit.
    pub(crate) fn has_room(&self, bytes: usize, copies: usize) -> Result<(), Exception> {
        let wanted = bytes.saturating_mul(copies);
        self.take(wanted).map(|()| self.free(wanted))
    }

    /// Whether something that is kept names that object.
    pub(crate) fn is_pinned(&self, ident: &str) -> bool {
        self.pins.borrow().contains_key(ident)
    }

    /// The objects that were pinned and are no more, since this was last asked.
    pub(crate) fn unpinned(&self) -> Vec<Box<str>> {
        self.unpinned.take()
    }

    /// Keeps an argument.
    pub(crate) fn keep(self: &Rc<Self>, argument: &Argument<'_>) -> Result<Rc<Kept>, Exception> {
        let payload = argument.payload().map_err(|error| raise::value_error(error.to_string()))?;
        self.keep_payload(payload)
    }

    /// Keeps what came out of the arena and is on its way to a client: counted, and never refused.
    pub(crate) fn keep_taken(self: &Rc<Self>, payload: Payload) -> Rc<Kept> {
        let bytes = payload.len() + OVERHEAD;
        self.used.set(self.used.get().saturating_add(bytes));
        Rc::new(Kept { payload, bytes, names: Vec::new(), store: Rc::clone(self) })
    }

    /// Keeps a value that the server made.
    pub(crate) fn keep_value(self: &Rc<Self>, value: &Value) -> Result<Rc<Kept>, Exception> {
        self.keep_payload(Payload::of(value))
    }

    fn keep_payload(self: &Rc<Self>, payload: Payload) -> Result<Rc<Kept>, Exception> {
        let bytes = payload.len() + OVERHEAD;
        self.take(bytes)?;
        let names: Vec<Box<str>> =
            payload.tokens().into_iter().map(|token| token.id.into()).collect();
        let mut pins = self.pins.borrow_mut();
        for name in &names {
            *pins.entry(name.clone()).or_insert(0) += 1;
        }
        drop(pins);
        Ok(Rc::new(Kept { payload, bytes, names, store: Rc::clone(self) }))
    }
}

/// One payload that is kept, until it is dropped.
#[derive(Debug)]
pub(crate) struct Kept {
    payload: Payload,
    bytes: usize,
    names: Vec<Box<str>>,
    store: Rc<Store>,
}

impl Kept {
    pub(crate) fn payload(&self) -> &Payload {
        &self.payload
    }

    /// How much it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether it names objects of a server.
    pub(crate) fn pins(&self) -> bool {
        !self.names.is_empty()
    }

    /// What it means, if it is plain data.
    pub(crate) fn value(&self) -> Option<Value> {
        self.payload.value().ok()
    }

    /// What Python's `repr` says of it.
    pub(crate) fn repr(&self) -> Result<String, Fault> {
        match self.value() {
            Some(value) => Ok(value.to_string()),
            None => Err(Fault::Beyond("showing an object")),
        }
    }

    /// As a part of an answer.
    pub(crate) fn part(&self) -> Value {
        Value::Payload(self.payload.clone())
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.store.free(self.bytes);
        let mut pins = self.store.pins.borrow_mut();
        for name in self.names.drain(..) {
            let Some(count) = pins.get_mut(&name) else { continue };
            *count -= 1;
            if *count == 0 {
                pins.remove(&name);
                self.store.unpinned.borrow_mut().push(name);
            }
        }
    }
}
