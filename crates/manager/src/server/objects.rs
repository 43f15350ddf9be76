//! The table of objects: who hosts each, and how many references it has.
//!
//! An object goes when nothing speaks for it: no reference, no stored payload that names it, nobody who waits in it, and it
//! is not registered.

use super::ident::{Ident, Idents};
use crate::hosted::arena::Place;
use crate::hosted::lock::Shared;
use crate::hosted::store::Store;
use crate::hosted::{Hosted, Turn};
use std::collections::HashMap;
use std::rc::Rc;

/// Who carries out an object's calls.
#[derive(Debug)]
pub(super) enum Host {
    /// This server.
    Own(Box<dyn Hosted>),
    /// The guest.
    Guest,
}

/// The methods that an object exposes, in the order in which clients are told.
#[derive(Clone, Debug)]
pub(super) enum Exposed {
    Own(&'static [&'static str]),
    /// As whoever made it, or registered its type, has listed them.
    Listed(Rc<[String]>),
}

impl Exposed {
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let (own, listed): (&[&str], &[String]) = match self {
            Self::Own(names) => (names, &[]),
            Self::Listed(names) => (&[], names),
        };
        own.iter().copied().chain(listed.iter().map(String::as_str))
    }
}

/// One object.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) typeid: Rc<str>,
    pub(super) host: Host,
    pub(super) exposed: Exposed,
    /// The lock in it.
    pub(super) lock: Option<Shared>,
    /// References, whoever holds them.
    references: u64,
    /// Those of them that belong to nobody who could be watched.
    loose: u64,
    /// How many connections wait for it.
    waiting: u64,
    registered: bool,
    /// How often the guest has given it.
    pub(super) given: u64,
    /// A client uses it in the arena.
    is_shared: bool,
}

impl Object {
    pub(super) fn own(typeid: Rc<str>, hosted: Box<dyn Hosted>) -> Self {
        let exposed = Exposed::Own(hosted.exposed());
        let lock = hosted.lock();
        Self::new(typeid, Host::Own(hosted), exposed, lock)
    }

    pub(super) fn guest(typeid: Rc<str>, exposed: Vec<String>) -> Self {
        Self::new(typeid, Host::Guest, Exposed::Listed(exposed.into()), None)
    }

    fn new(typeid: Rc<str>, host: Host, exposed: Exposed, lock: Option<Shared>) -> Self {
        let (references, loose, waiting) = (0, 0, 0);
        Self {
            typeid,
            host,
            exposed,
            lock,
            references,
            loose,
            waiting,
            registered: false,
            given: 0,
            is_shared: false,
        }
    }

    /// With these methods instead of all that it has, if they were listed.
    pub(super) fn exposing(self, listed: Option<&Rc<[String]>>) -> Self {
        match listed {
            Some(names) => Self { exposed: Exposed::Listed(Rc::clone(names)), ..self },
            None => self,
        }
    }

    pub(super) fn registered(self) -> Self {
        Self { registered: true, ..self }
    }

    /// The number under which its doorbells are heard.
    fn number(&self) -> Option<u64> {
        match &self.host {
            Host::Own(hosted) => hosted.number(),
            Host::Guest => None,
        }
    }

    pub(super) fn references(&self) -> u64 {
        self.references
    }

    pub(super) fn is_shared(&self) -> bool {
        self.is_shared
    }

    /// Tells a client where in the arena it lies, if it does.
    pub(super) fn share(&mut self, turn: &mut Turn<'_>) -> Option<Place> {
        let Host::Own(hosted) = &mut self.host else { return None };
        let place = hosted.share(turn);
        self.is_shared |= place.is_some();
        place
    }

    pub(super) fn is_guests(&self) -> bool {
        matches!(self.host, Host::Guest)
    }

    /// Counts one reference more, of a holder that counts it too.
    pub(super) fn count(&mut self) {
        self.references += 1;
    }

    /// Counts one that belongs to nobody in particular.
    pub(super) fn count_loose(&mut self) {
        self.references += 1;
        self.loose += 1;
    }

    /// Takes away one that belongs to nobody in particular; says whether there was one.
    pub(super) fn take_loose(&mut self) -> bool {
        let is_there = self.loose > 0;
        self.loose -= u64::from(is_there);
        self.references -= u64::from(is_there);
        is_there
    }

    /// Takes away references of a holder that counted them itself.
    pub(super) fn take(&mut self, count: u64) {
        self.references = self.references.saturating_sub(count);
    }
}

/// All of them.
#[derive(Debug)]
pub(super) struct Objects {
    table: HashMap<Ident, Object>,
    /// Those whose doorbells may ring, by the numbers under which these are heard.
    ringing: HashMap<u64, Ident>,
    idents: Idents,
    store: Rc<Store>,
}

impl Objects {
    pub(super) fn new(idents: Idents, store: Rc<Store>) -> Self {
        Self { table: HashMap::new(), ringing: HashMap::new(), idents, store }
    }

    /// Puts a new object into the table.
    pub(super) fn insert(&mut self, object: Object) -> Ident {
        let ident = self.idents.next();
        self.ringing.extend(object.number().map(|number| (number, ident)));
        self.table.insert(ident, object);
        ident
    }

    /// Puts an object into the table under a name that was taken before.
    pub(super) fn insert_as(&mut self, ident: Ident, object: Object) {
        self.table.insert(ident, object);
    }

    pub(super) fn get(&self, ident: Ident) -> Option<&Object> {
        self.table.get(&ident)
    }

    pub(super) fn get_mut(&mut self, ident: Ident) -> Option<&mut Object> {
        self.table.get_mut(&ident)
    }

    /// The object at which the bell of that number hangs.
    pub(super) fn ringing(&self, number: u64) -> Option<Ident> {
        self.ringing.get(&number).copied()
    }

    /// The lock of another object, by its name in a proxy.
    pub(super) fn lock_of(&self, ident: &str) -> Option<Shared> {
        self.get(Ident::parse(ident)?)?.lock.clone()
    }

    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    /// Those that have references, in the order of their names.
    pub(super) fn referenced(&self) -> Vec<(Ident, &Object)> {
        let referenced = self.table.iter().filter(|(_, object)| object.references > 0);
        let mut referenced: Vec<_> = referenced.map(|(ident, object)| (*ident, object)).collect();
        referenced.sort_unstable_by_key(|(ident, _)| *ident);
        referenced
    }

    /// Somebody waits for it, and keeps it.
    pub(super) fn wait(&mut self, ident: Ident) {
        if let Some(object) = self.get_mut(ident) {
            object.waiting += 1;
        }
    }

    /// Somebody does no longer.
    pub(super) fn waited(&mut self, ident: Ident) {
        if let Some(object) = self.get_mut(ident) {
            object.waiting = object.waiting.saturating_sub(1);
        }
    }

    /// Takes out an object for which nothing speaks any more, and what goes with it. Says which of them were the guest's,
    /// and how often it had given each.
    pub(super) fn release(&mut self, ident: Ident) -> Vec<(Ident, u64)> {
        let mut guests = Vec::new();
        let mut suspects = vec![ident];
        while let Some(ident) = suspects.pop() {
            let Some(object) = self.table.get(&ident) else { continue };
            let speaks = object.references > 0 || object.waiting > 0 || object.registered;
            if speaks || self.store.is_pinned(&ident.to_string()) {
                continue;
            }
            if let Some(object) = self.table.remove(&ident) {
                if let Some(number) = object.number() {
                    self.ringing.remove(&number);
                }
                if object.is_guests() {
                    guests.push((ident, object.given));
                }
            }
            suspects.extend(self.unpinned());
        }
        guests
    }

    /// The objects of which a stored payload was the last that spoke for them, as far as payloads go.
    pub(super) fn unpinned(&self) -> Vec<Ident> {
        self.store.unpinned().iter().filter_map(|name| Ident::parse(name)).collect()
    }
}
