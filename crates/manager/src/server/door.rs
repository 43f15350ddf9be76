//! A server that is bound, and its run.

use super::builder::{BindError, Builder, Registration};
use super::engine::{Engine, Parts};
use super::guest::{self, Desk, Errands};
use super::ident::{Ident, Idents};
use super::objects::{Object, Objects};
use super::status::Counters;
use super::waker::{Stopper, Waker};
use crate::hosted::store::Store;
use crate::hosted::typeid::{self, Type};
use crate::hosted::{self, Fault, Hosted, Turn};
use crate::memory::bells::Bells;
use crate::memory::offer::Offer;
use crate::transport::{Address, Listener};
use procession_wire::message::{Call, Scanner};
use procession_wire::value::Value;
use std::collections::HashMap;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

/// A server that is bound to its address. It is [run](Self::run) by one thread, whichever.
///
/// # If a process dies
/// If a client dies, what it waited in is given up, the locks that it has are released, and what it had a reference to goes if
/// nobody else has one; an item that was on its way to it goes back to the front of its queue. If the server dies,
/// everything that it held is gone, and its clients see the end of the stream.
///
/// # After fork
/// The child of a fork has the listening socket too; it must not run the server, and should drop it.
#[derive(Debug)]
pub struct Server {
    builder: Builder,
    listener: Listener,
    waker: Arc<Waker>,
    counters: Counters,
    idents: Idents,
    desk: Option<Desk>,
    errands: Option<Errands>,
}

/// What stands behind a name that clients create objects by.
#[derive(Debug)]
pub(super) enum Name {
    /// A new object each time, with these methods or all.
    New(Type, Option<Rc<[String]>>),
    /// One object for all.
    Shared(Ident),
    /// Whatever the guest makes of it.
    Guest,
}

impl Server {
    /// Begins to say what a server is to serve.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(super) fn bind(builder: Builder, address: &Address) -> Result<Self, BindError> {
        if builder.key.is_none() && !address.is_local() {
            return Err(BindError::NoKey(address.clone()));
        }
        let store = Store::new(builder.limits.memory);
        for (name, registration) in &builder.names {
            if let Registration::Shared(kind, args) = registration {
                let made = registered(*kind, args, &store, None);
                made.map_err(|reason| BindError::Register {
                    name: name.clone(),
                    kind: *kind,
                    reason,
                })?;
            }
        }
        let listener = Listener::bind(address, builder.tls.clone())
            .map_err(|error| BindError::Listen(address.clone(), error))?;
        let (waker, idents) = (Waker::new()?, Idents::new());
        let guest = builder.has_guest.then(|| guest::mailbox(Arc::clone(&waker), idents.clone()));
        let (desk, errands) = guest.unzip();
        let counters = Counters::default();
        Ok(Self { builder, listener, waker, counters, idents, desk, errands })
    }

    /// Where it is: with the port that the system chose, if port 0 was asked for.
    #[must_use]
    pub fn address(&self) -> &Address {
        self.listener.address()
    }

    /// What ends it, from another thread or a signal handler.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        Stopper(Arc::clone(&self.waker))
    }

    /// How it is doing, for any thread.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters.clone()
    }

    /// The guest's end of the mailbox, once, if there is a name that the [guest](Builder::guest) serves.
    pub fn errands(&mut self) -> Option<Errands> {
        self.errands.take()
    }

    /// Serves, until a client asks for a shutdown or a [`Stopper`] for an end. Everybody who is connected then sees the
    /// end of the stream.
    ///
    /// # Errors
    /// What the system says if the loop cannot wait. No client can bring this about.
    pub fn run(self) -> io::Result<()> {
        self.serve(None)
    }

    /// As [`run`](Self::run), and ends too if `interrupted` says so, which is asked when a signal interrupts this thread, and
    /// once in a second.
    ///
    /// # Errors
    /// As there.
    pub fn run_until(self, mut interrupted: impl FnMut() -> bool) -> io::Result<()> {
        self.serve(Some(&mut interrupted))
    }

    fn serve(self, interrupted: Option<&mut dyn FnMut() -> bool>) -> io::Result<()> {
        let store = Store::new(self.builder.limits.memory);
        let is_unix = matches!(self.listener.address(), Address::Unix(_) | Address::Abstract(_));
        let shares = self.builder.shares_memory && is_unix && self.builder.tls.is_none();
        // Where there is no arena to be had, clients do without.
        let offer = shares.then(Offer::new).and_then(Result::ok);
        let bells = offer.as_ref().map(Offer::bells);
        let mut objects = Objects::new(self.idents, Rc::clone(&store));
        let mut names = HashMap::new();
        for (name, registration) in self.builder.names {
            let name = name.into_boxed_str();
            let meaning = match registration {
                Registration::New(kind, exposed) => Name::New(kind, exposed.map(Rc::from)),
                Registration::Guest => Name::Guest,
                Registration::Shared(kind, args) => {
                    let made = registered(kind, &args, &store, bells).map_err(io::Error::other)?;
                    let object = Object::own(kind.name().into(), made).registered();
                    Name::Shared(objects.insert(object))
                }
            };
            names.insert(name, meaning);
        }
        let parts = Parts {
            address: as_value(self.listener.address()),
            listener: self.listener,
            waker: self.waker,
            words: self.counters.0,
            key: self.builder.key.unwrap_or_default(),
            limits: self.builder.limits,
            store,
            objects,
            names,
            desk: self.desk,
            offer,
        };
        Engine::new(parts)?.run(interrupted)
    }
}

/// Makes an object of arguments that this program gave.
fn registered(
    kind: Type,
    args: &[Value],
    store: &Rc<Store>,
    bells: Option<&Rc<Bells>>,
) -> Result<Box<dyn Hosted>, String> {
    let mut request = Vec::new();
    let mut call = Call::new(&mut request, None, kind.name());
    for arg in args {
        call = call.arg(arg);
    }
    call.end();
    let mut scanner = Scanner::new();
    let request = scanner.request(&request).map_err(|error| error.to_string())?;
    let call = hosted::Call { method: request.method, args: &request.args, kwds: &request.kwds };
    let now = Instant::now();
    let mut turn = Turn { owner: 0, now, store, bells, woken: &mut Vec::new() };
    typeid::create(kind, &call, &mut turn, &|_| None).map_err(|fault| match fault {
        Fault::Raise(exception) => exception.to_string(),
        Fault::Beyond(what) => format!("{what} is beyond a server that knows plain data only"),
        Fault::NoMethod => "TypeError: too few arguments".to_owned(),
    })
}

/// An address as CPython has it.
fn as_value(address: &Address) -> Value {
    match address {
        Address::Tcp(host, port) => {
            Value::Tuple(vec![host.as_str().into(), u64::from(*port).into()])
        }
        Address::Unix(path) => Value::Str(path.to_string_lossy().into_owned()),
        Address::Abstract(name) => Value::Bytes([b"\0", name.as_slice()].concat()),
    }
}
