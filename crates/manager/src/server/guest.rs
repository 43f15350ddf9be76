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
//!
//! Words cross on their way: a guest may give an object again while the server says that nobody has it any more. So each
//! counts how often it was given; an object is over when both numbers are the same.

use super::ident::Idents;
use super::waker::Waker;
use crate::hosted::Owner;
use crate::hosted::typeid::Type;
use std::collections::{HashMap, HashSet, VecDeque};
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
    /// Say what there is, its own objects included, and answer with the text of `debug_info`.
    Describe {
        /// For whom.
        connection: u64,
        /// The pickled request `(None, 'debug_info', (objects,), {})`. For each object in `objects` its name, its count of
        /// references, and its text, or `None` if it is the guest's.
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
    /// Nobody has a reference to this object any more. The guest forgets it, unless it has given it again meanwhile.
    Forget {
        /// The object.
        ident: String,
        /// How many of the guest's answers that gave it the server had seen: after so many it is over.
        times: u64,
    },
    /// This connection, for which there was an errand before, is gone.
    Ended {
        /// Which.
        connection: u64,
    },
}

impl Errand {
    /// The connection that it is about.
    fn connection(&self) -> Option<Owner> {
        match self {
            Self::Create { connection, .. }
            | Self::Call { connection, .. }
            | Self::Describe { connection, .. }
            | Self::Ended { connection } => Some(*connection),
            Self::Adopt { .. } | Self::Forget { .. } => None,
        }
    }
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
    Refuse(String),
}

/// What lies between the two.
#[derive(Debug, Default)]
struct Mailbox {
    errands: VecDeque<Errand>,
    /// Errands of the connections for which a thread waits, each for its own.
    lanes: HashMap<Owner, Lane>,
    /// Objects that the guest was told to host, and does not host yet.
    adopting: HashSet<String>,
    notices: Vec<Notice>,
    /// The server has ended.
    over: bool,
    /// How many [`Errands`] there are.
    guests: usize,
}

#[derive(Debug, Default)]
struct Lane {
    errands: VecDeque<Errand>,
    more: Arc<Condvar>,
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
                if let Errand::Adopt { ident, .. } = &errand {
                    mailbox.adopting.remove(ident);
                }
                return Some(errand);
            }
            if mailbox.over {
                return None;
            }
            mailbox = self.0.more.wait(mailbox).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// As [`Self::next`], for a guest with a thread for each connection: all further errands of a connection that this has given
    /// an errand of are taken with [`Self::next_of`], and every [`Errand::Adopt`] has to be followed by [`Self::adopted`] or
    /// [`Self::refused`].
    #[must_use]
    pub fn next_apart(&self) -> Option<Errand> {
        let mut mailbox = self.0.lock();
        loop {
            if let Some(errand) = mailbox.errands.pop_front() {
                match (&errand, errand.connection()) {
                    (Errand::Ended { .. }, _) | (_, None) => {}
                    (_, Some(connection)) => drop(mailbox.lanes.entry(connection).or_default()),
                }
                return Some(errand);
            }
            if mailbox.over {
                return None;
            }
            mailbox = self.0.more.wait(mailbox).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes the next errand of that connection; waits for it, and until the object that it calls has been adopted. `None`
    /// when the connection or the server has ended.
    #[must_use]
    pub fn next_of(&self, connection: u64) -> Option<Errand> {
        let mut mailbox = self.0.lock();
        loop {
            let Mailbox { lanes, adopting, over, .. } = &mut *mailbox;
            let lane = lanes.get_mut(&connection)?;
            match lane.errands.front() {
                Some(Errand::Ended { .. }) => {
                    lanes.remove(&connection);
                    return None;
                }
                Some(Errand::Call { ident, .. }) if adopting.contains(ident) => {}
                Some(_) => return lane.errands.pop_front(),
                None if *over => return None,
                None => {}
            }
            let more = Arc::clone(&lane.more);
            mailbox = more.wait(mailbox).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Whether that connection has ended while an errand of it is under way: nobody will get the answer.
    #[must_use]
    pub fn has_ended(&self, connection: u64) -> bool {
        let mailbox = self.0.lock();
        let lane = mailbox.lanes.get(&connection);
        lane.is_some_and(|lane| matches!(lane.errands.front(), Some(Errand::Ended { .. })))
    }

    /// The guest hosts that object now, as it was told by an [`Errand::Adopt`].
    pub fn adopted(&self, ident: &str) {
        self.decide(ident);
    }

    /// The guest cannot host that object, as it was told by an [`Errand::Adopt`]: it stays the server's, as it was. The call
    /// for which it was to be adopted is still to be answered.
    pub fn refused(&self, ident: &str) {
        self.tell(Notice::Refuse(ident.to_owned()));
        self.decide(ident);
    }

    fn decide(&self, ident: &str) {
        let mut mailbox = self.0.lock();
        mailbox.adopting.remove(ident);
        for lane in mailbox.lanes.values() {
            lane.more.notify_all();
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
        let mut mailbox = self.0.lock();
        if let Errand::Adopt { ident, .. } = &errand {
            mailbox.adopting.insert(ident.clone());
        }
        let lane = errand.connection().and_then(|connection| mailbox.lanes.get_mut(&connection));
        if let Some(lane) = lane {
            lane.errands.push_back(errand);
            lane.more.notify_one();
        } else {
            mailbox.errands.push_back(errand);
            self.0.more.notify_one();
        }
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
        let mut mailbox = self.0.lock();
        mailbox.over = true;
        self.0.more.notify_all();
        for lane in mailbox.lanes.values() {
            lane.more.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (Desk, Errands) {
        mailbox(Waker::new().unwrap(), Idents::new())
    }

    fn call(connection: u64, ident: &str) -> Errand {
        Errand::Call { connection, ident: ident.to_owned(), request: Vec::new() }
    }

    fn adopt(ident: &str) -> Errand {
        Errand::Adopt { ident: ident.to_owned(), kind: Type::List, contents: Vec::new() }
    }

    #[test]
    fn errands_of_a_connection_go_to_its_thread_from_the_second_on() {
        let _guard = procession_testkit::guard();
        let (desk, errands) = pair();
        for connection in [1, 2] {
            desk.send(call(connection, "a"));
            assert_eq!(errands.next_apart(), Some(call(connection, "a")));
        }
        desk.send(call(2, "b"));
        desk.send(call(1, "c"));
        assert!(!errands.has_ended(2));
        desk.send(Errand::Ended { connection: 2 });
        assert_eq!(errands.next_of(1), Some(call(1, "c")));
        assert_eq!(errands.next_of(2), Some(call(2, "b")));
        assert!(errands.has_ended(2) && !errands.has_ended(1));
        assert_eq!(errands.next_of(2), None);
        desk.send(call(2, "d"));
        assert_eq!(errands.next_apart(), Some(call(2, "d")), "an ended connection has no lane");
    }

    #[test]
    fn a_call_of_an_object_waits_until_the_object_is_adopted() {
        let _guard = procession_testkit::guard();
        let (desk, errands) = pair();
        desk.send(call(1, "a"));
        assert_eq!(errands.next_apart(), Some(call(1, "a")));
        desk.send(adopt("b"));
        desk.send(call(1, "b"));
        assert_eq!(errands.next_apart(), Some(adopt("b")));
        let adopter = errands.clone();
        let is_adopted = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                let errand = errands.next_of(1);
                assert!(is_adopted.load(std::sync::atomic::Ordering::SeqCst));
                errand
            });
            is_adopted.store(true, std::sync::atomic::Ordering::SeqCst);
            adopter.adopted("b");
            assert_eq!(waiting.join().unwrap(), Some(call(1, "b")));
        });
    }

    #[test]
    fn an_object_that_is_refused_is_said_to_be_and_holds_up_nobody() {
        let _guard = procession_testkit::guard();
        let (desk, errands) = pair();
        desk.send(call(1, "a"));
        assert_eq!(errands.next_apart(), Some(call(1, "a")));
        desk.send(adopt("b"));
        desk.send(call(1, "b"));
        errands.refused("b");
        assert!(matches!(&desk.notices()[..], [Notice::Refuse(ident)] if ident == "b"));
        assert_eq!(errands.next_of(1), Some(call(1, "b")));
    }

    #[test]
    fn whoever_waits_is_told_that_the_server_has_ended() {
        let _guard = procession_testkit::guard();
        let (desk, errands) = pair();
        desk.send(call(1, "a"));
        assert_eq!(errands.next_apart(), Some(call(1, "a")));
        std::thread::scope(|scope| {
            let waiting =
                [scope.spawn(|| errands.next_of(1)), scope.spawn(|| errands.next_apart())];
            drop(desk);
            for thread in waiting {
                assert_eq!(thread.join().unwrap(), None);
            }
        });
    }
}
