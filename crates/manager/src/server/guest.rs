//! A guest: a program in the server's process that hosts what opaque bytes cannot be, such as objects of Python.
//!
//! The server knows a guest's objects by name, by what they expose and by how many references there are; what they are
//! is known to the guest. It hands over whole requests, as they came, and gets whole replies, as they go.
//!
//! | the server | the guest |
//! |---|---|
//! | puts an [`Errand`] into the mailbox, and lets the connection wait | takes it with [`Errands::next`] |
//! | goes on with everybody else | does it, in the thread that it keeps for this connection, if it matters which |
//! | sends the reply, and counts what was made | calls [`Errands::answer`] |
//!
//! A connection has one errand under way at most, so its calls are in order. If its client is gone before the answer, the
//! answer is thrown away, and what it made is forgotten.

use super::ident::Idents;
use super::waker::Waker;
use crate::hosted::Owner;
use crate::hosted::typeid::Type;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Something that the guest is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Errand {
    /// Make an object of a type that the guest serves, and answer with its [`Made`].
    Create {
        /// For whom.
        connection: u64,
        /// The type's name.
        typeid: String,
        /// The pickled request `(None, 'create', (typeid, *args), kwds)`.
        request: Vec<u8>,
    },
    /// Carry out a call of an object that the guest hosts, and answer. The method is one that the object exposes, or
    /// `__str__`, `__repr__` or `#GETVALUE`.
    Call {
        /// For whom.
        connection: u64,
        /// The object.
        ident: String,
        /// The pickled request `(ident, method, args, kwds)`.
        request: Vec<u8>,
    },
    /// Host this object from here on: the server has met a call that needs to know what its contents are, and it
    /// follows. Nothing is to be answered. To be done before the next errand is taken.
    Adopt {
        /// The object.
        ident: String,
        /// What it was.
        kind: Type,
        /// What it held: the pickled reply `('#RETURN', contents)` that `copy.deepcopy(proxy)` would have been sent.
        contents: Vec<u8>,
    },
    /// Forget this object: nobody has a reference any more.
    Forget {
        /// The object.
        ident: String,
    },
    /// This connection, for which there was an errand before, is gone.
    Ended {
        /// Which.
        connection: u64,
    },
}

/// An object that a guest has made, or had before and gives again; then it has one reference more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// Its name: a new one from [`Errands::ident`], or the one that it has.
    pub ident: String,
    /// The name of its type.
    pub typeid: String,
    /// The methods that clients may call.
    pub exposed: Vec<String>,
}

/// What a guest tells the server.
#[derive(Debug)]
pub(super) enum Notice {
    Answer { connection: Owner, reply: Vec<u8>, made: Option<Made> },
    Hold(String),
    Release(String),
}

/// What lies between the two.
#[derive(Debug, Default)]
struct Mailbox {
    errands: VecDeque<Errand>,
    notices: Vec<Notice>,
    /// The server has ended.
    over: bool,
    /// How many [`Errands`] there are.
    guests: usize,
}

#[derive(Debug)]
struct Shared {
    mailbox: Mutex<Mailbox>,
    more: Condvar,
    waker: Arc<Waker>,
    idents: Idents,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Mailbox> {
        // Every change of the mailbox is one push or one take, so a panic leaves nothing half done.
        self.mailbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The guest's end of the mailbox. Any thread may use it. With the last clone the guest is gone: whoever waits for it is told
/// so, and so is everybody who calls its objects afterwards.
#[derive(Debug)]
pub struct Errands(Arc<Shared>);

impl Clone for Errands {
    fn clone(&self) -> Self {
        self.0.lock().guests += 1;
        Self(Arc::clone(&self.0))
    }
}

impl Drop for Errands {
    fn drop(&mut self) {
        self.0.lock().guests -= 1;
        self.0.waker.ring();
    }
}

/// The server's end.
#[derive(Debug)]
pub(super) struct Desk(Arc<Shared>);

pub(super) fn mailbox(waker: Arc<Waker>, idents: Idents) -> (Desk, Errands) {
    let mailbox = Mutex::new(Mailbox { guests: 1, ..Mailbox::default() });
    let more = Condvar::new();
    let shared = Arc::new(Shared { mailbox, more, waker, idents });
    (Desk(Arc::clone(&shared)), Errands(shared))
}

impl Errands {
    /// Takes the next errand; waits for it. `None` when the server has ended.
    #[must_use]
    pub fn next(&self) -> Option<Errand> {
        let mut mailbox = self.0.lock();
        loop {
            if let Some(errand) = mailbox.errands.pop_front() {
                return Some(errand);
            }
            if mailbox.over {
                return None;
            }
            mailbox = self.0.more.wait(mailbox).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// A name for a new object.
    #[must_use]
    pub fn ident(&self) -> String {
        self.0.idents.next().to_string()
    }

    /// Answers a [`Errand::Create`] or a [`Errand::Call`] with a whole pickled reply, and says which object the reply gives
    /// the client a reference to: the one that was created, or the one in a `#PROXY`.
    pub fn answer(&self, connection: u64, reply: Vec<u8>, made: Option<Made>) {
        self.tell(Notice::Answer { connection, reply, made });
    }

    /// Counts a reference of the guest's own to an object of the server, its own ones included: one that lies inside
    /// another object, for example.
    pub fn hold(&self, ident: &str) {
        self.tell(Notice::Hold(ident.to_owned()));
    }

    /// Gives back what [`Self::hold`] counted.
    pub fn release(&self, ident: &str) {
        self.tell(Notice::Release(ident.to_owned()));
    }

    fn tell(&self, notice: Notice) {
        self.0.lock().notices.push(notice);
        self.0.waker.ring();
    }
}

impl Desk {
    pub(super) fn send(&self, errand: Errand) {
        self.0.lock().errands.push_back(errand);
        self.0.more.notify_one();
    }

    /// Whether nobody takes errands any more.
    pub(super) fn is_deserted(&self) -> bool {
        self.0.lock().guests == 0
    }

    pub(super) fn notices(&self) -> Vec<Notice> {
        std::mem::take(&mut self.0.lock().notices)
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.0.lock().over = true;
        self.0.more.notify_all();
    }
}
