//! Control requests: those without an object.

use super::connection::{Connection, Parked, State};
use super::door::Name;
use super::engine::Engine;
use super::guest::Errand;
use super::ident::Ident;
use super::objects::{Host, Object};
use super::references::Holder;
use super::reply;
use crate::hosted::{Call, Fault, Turn, raise, typeid};
use crate::memory::offer::Offer;
use procession_sys::peer;
use procession_wire::message::{self as wire, Argument, Exception, Request};
use procession_wire::value::Value;
use rustix::io::Errno;

/// The newest version of the rules for our own clients that this server knows.
const VERSION: i128 = 1;

/// How much of an object's text `debug_info` shows.
const SHOWN: usize = 75;

/// Why a control request is not carried out.
enum Refusal {
    /// With these words, as in stock.
    Traceback(String),
    /// With an exception that the client raises.
    Raise(Exception),
    /// It is answered later.
    Later,
}

impl From<Exception> for Refusal {
    fn from(exception: Exception) -> Self {
        Self::Traceback(exception.to_string())
    }
}

impl Engine {
    /// The one control request of a connection, after which it is served or leaves.
    pub(super) fn control(&mut self, connection: &mut Connection, message: &[u8]) {
        connection.state = State::Leaving;
        let mut scanner = std::mem::take(&mut self.scanner);
        match scanner.request(message) {
            Ok(request) if request.ident.is_none() => self.ask(connection, &request, message),
            Ok(_) => reply::traceback(
                connection,
                "AssertionError: a call on a connection that is not served",
            ),
            Err(error) => reply::traceback(connection, &format!("ValueError: {error}")),
        }
        self.scanner = scanner;
    }

    /// Carries out a control request.
    pub(super) fn ask(
        &mut self,
        connection: &mut Connection,
        request: &Request<'_>,
        message: &[u8],
    ) {
        let answer = match request.method {
            "dummy" => Ok(Value::None),
            "create" => self.create(connection, request, message),
            "incref" => self.increase(connection, request),
            "decref" => self.decrease(connection, request),
            "get_methods" => self.methods(request),
            "number_of_objects" => Ok(self.objects.referenced().len().into()),
            "debug_info" => self.debug_info(connection),
            "accept_connection" if !connection.is_served => self.accept_calls(connection),
            "hello" if !connection.is_served => self.greet(connection, request),
            "arena" if !connection.is_served => return self.hand_over(connection),
            "handle" => self.known(request).map(|ident| self.place_of(ident)),
            "claim" => return self.claim(connection, request),
            "shutdown" => {
                self.is_over = true;
                Ok(Value::None)
            }
            unknown => Err(Refusal::Traceback(format!("AssertionError: '{unknown}' unrecognized"))),
        };
        match answer {
            Ok(value) => reply::value(connection, &value),
            Err(Refusal::Traceback(text)) => reply::traceback(connection, &text),
            Err(Refusal::Raise(exception)) => reply::exception(connection, &exception),
            Err(Refusal::Later) => {}
        }
    }

    fn accept_calls(&mut self, connection: &mut Connection) -> Result<Value, Refusal> {
        let limit = self.limits.connections;
        if self.served >= limit {
            let text = format!("the server serves {limit} connections, which is its limit");
            return Err(Refusal::Raise(raise::connection_refused(text)));
        }
        self.served += 1;
        connection.is_served = true;
        connection.state = State::Serving;
        self.young.remove(&connection.owner);
        self.set_deadline(connection, None);
        Ok(Value::None)
    }

    fn greet(
        &mut self,
        connection: &mut Connection,
        request: &Request<'_>,
    ) -> Result<Value, Refusal> {
        let newest = request.args.first().and_then(|version| version.value().ok()?.as_int());
        let newest = newest.filter(|newest| *newest >= 1).ok_or_else(|| {
            Refusal::Traceback("TypeError: hello(version, name) needs a version from 1".to_owned())
        })?;
        self.accept_calls(connection)?;
        connection.is_ours = true;
        let mut told = vec![
            ("procession".into(), newest.min(VERSION).into()),
            ("message".into(), self.limits.message.into()),
        ];
        told.extend(self.offer.as_ref().map(|offer| ("arena".into(), offer.number().into())));
        Ok(Value::Dict(told))
    }

    fn create(
        &mut self,
        connection: &mut Connection,
        request: &Request<'_>,
        message: &[u8],
    ) -> Result<Value, Refusal> {
        let (name, args) = match request.args.split_first() {
            Some((name, args)) => (text(name)?, args),
            None => {
                return Err(Refusal::Traceback("TypeError: create() needs a typeid".to_owned()));
            }
        };
        let ident = match self.names.get(name.as_str()) {
            None => return Err(Refusal::Traceback(format!("KeyError: '{name}'"))),
            Some(Name::Shared(ident)) => *ident,
            Some(Name::Guest) => return self.create_at_guest(connection, name, message),
            Some(Name::New(kind, exposed)) => {
                let call = Call { method: &name, args, kwds: &request.kwds };
                let (owner, now, store) = (connection.owner, self.now, &self.store);
                let bells = self.offer.as_ref().map(Offer::bells);
                let mut turn = Turn { owner, now, store, bells, woken: &mut self.woken };
                let lock_of = |ident: &str| self.objects.lock_of(ident);
                match typeid::create(*kind, &call, &mut turn, &lock_of) {
                    Ok(hosted) => {
                        let object = Object::own(kind.name().into(), hosted);
                        self.objects.insert(object.exposing(exposed.as_ref()))
                    }
                    Err(Fault::Raise(exception)) => return Err(exception.into()),
                    Err(Fault::Beyond(_)) if self.desk.is_some() => {
                        return self.create_at_guest(connection, name, message);
                    }
                    Err(Fault::Beyond(what)) => return Err(super::calls::beyond(what).into()),
                    Err(Fault::NoMethod) => {
                        return Err(Refusal::Traceback(format!(
                            "TypeError: {name}() misses arguments"
                        )));
                    }
                }
            }
        };
        self.count_reference(connection, ident);
        let exposed = match self.objects.get(ident) {
            Some(object) => object.exposed.names().map(Value::from).collect(),
            None => Vec::new(),
        };
        Ok(Value::Tuple(vec![ident.to_string().into(), Value::Tuple(exposed)]))
    }

    fn create_at_guest(
        &mut self,
        connection: &mut Connection,
        typeid: String,
        message: &[u8],
    ) -> Result<Value, Refusal> {
        self.young.remove(&connection.owner);
        let errand =
            Errand::Create { connection: connection.owner, typeid, request: message.to_vec() };
        self.send_guest(connection, errand, Parked::Guest { ident: None, adopted: None });
        Err(Refusal::Later)
    }

    fn increase(
        &mut self,
        connection: &mut Connection,
        request: &Request<'_>,
    ) -> Result<Value, Refusal> {
        let ident = self.known(request)?;
        self.count_reference(connection, ident);
        Ok(Value::None)
    }

    fn decrease(
        &mut self,
        connection: &mut Connection,
        request: &Request<'_>,
    ) -> Result<Value, Refusal> {
        let ident = self.known(request)?;
        let holder = holder_of(connection);
        let is_taken = match holder {
            Holder::Connection => connection.counts.take(ident),
            Holder::Process(pid) => {
                let own = self.processes.known(pid).is_some_and(|counts| counts.take(ident));
                if let Some(idle) = self.processes.settle(pid) {
                    self.forget(&idle);
                }
                own
            }
            Holder::Anyone => false,
        };
        let Some(object) = self.objects.get_mut(ident) else { return Ok(Value::None) };
        if is_taken {
            object.take(1);
        } else if holder == Holder::Connection || !object.take_loose() {
            let text = format!("AssertionError: no reference to '{ident}' was counted here");
            return Err(Refusal::Traceback(text));
        }
        self.release(ident);
        Ok(Value::None)
    }

    /// Counts a reference of whoever is at the other end.
    pub(super) fn count_reference(&mut self, connection: &mut Connection, ident: Ident) {
        let Some(object) = self.objects.get_mut(ident) else { return };
        match holder_of(connection) {
            Holder::Connection => {
                object.count();
                connection.counts.add(ident);
            }
            Holder::Anyone => object.count_loose(),
            Holder::Process(pid) => {
                let epoll = &self.epoll;
                let watch =
                    |pidfd: std::os::fd::BorrowedFd<'_>| Self::watch_process(epoll, pid, pidfd);
                match self.processes.counts(pid, watch) {
                    Ok(counts) => {
                        object.count();
                        counts.add(ident);
                    }
                    // It has ended since: nobody is there to have a reference.
                    Err(error) if Errno::from_io_error(&error) == Some(Errno::SRCH) => {
                        self.release(ident);
                    }
                    Err(_) => object.count_loose(),
                }
            }
        }
    }

    /// The object that a request is about.
    fn known(&self, request: &Request<'_>) -> Result<Ident, Refusal> {
        let name = match request.args.as_slice() {
            [name] => text(name)?,
            _ => return Err(Refusal::Traceback("TypeError: it takes one ident".to_owned())),
        };
        Ident::parse(&name)
            .filter(|ident| self.objects.get(*ident).is_some())
            .ok_or_else(|| Refusal::Traceback(format!("KeyError: '{name}'")))
    }

    fn methods(&self, request: &Request<'_>) -> Result<Value, Refusal> {
        let tokens = request.args.first().and_then(|token| Some(token.payload().ok()?.tokens()));
        let token = tokens.and_then(|tokens| tokens.into_iter().next()).ok_or_else(|| {
            Refusal::Traceback("TypeError: get_methods() takes a token".to_owned())
        })?;
        let object = Ident::parse(&token.id).and_then(|ident| self.objects.get(ident));
        let object =
            object.ok_or_else(|| Refusal::Traceback(format!("KeyError: '{}'", token.id)))?;
        Ok(Value::Tuple(object.exposed.names().map(Value::from).collect()))
    }

    fn debug_info(&mut self, connection: &mut Connection) -> Result<Value, Refusal> {
        let known = |(ident, object): (Ident, &Object)| {
            let text = match &object.host {
                Host::Own(hosted) => hosted.repr(&ident.to_string()).ok(),
                Host::Guest if self.desk.is_some() => return (ident, object.references(), None),
                Host::Guest => None,
            };
            let text = text.unwrap_or_else(|| format!("<{} object at 0x{ident}>", object.typeid));
            (ident, object.references(), Some(text.chars().take(SHOWN).collect::<String>()))
        };
        let objects: Vec<_> = self.objects.referenced().into_iter().map(known).collect();
        if objects.iter().any(|(_, _, text)| text.is_none()) {
            let objects = objects.into_iter().map(|(ident, count, text)| {
                let text = text.map_or(Value::None, Value::Str);
                Value::Tuple(vec![ident.to_string().into(), count.into(), text])
            });
            let mut request = Vec::new();
            let objects = Value::List(objects.collect());
            wire::Call::new(&mut request, None, "debug_info").arg(&objects).end();
            let errand = Errand::Describe { connection: connection.owner, request };
            self.young.remove(&connection.owner);
            self.send_guest(connection, errand, Parked::Guest { ident: None, adopted: None });
            return Err(Refusal::Later);
        }
        let line = |(ident, count, text): (Ident, u64, Option<String>)| {
            format!("  {ident}:       refcount={count}\n    {}", text.unwrap_or_default())
        };
        Ok(objects.into_iter().map(line).collect::<Vec<_>>().join("\n").into())
    }
}

fn text(argument: &Argument<'_>) -> Result<String, Refusal> {
    match argument.value() {
        Ok(Value::Str(text)) => Ok(text),
        _ => Err(Refusal::Traceback("TypeError: a name must be a str".to_owned())),
    }
}

fn holder_of(connection: &Connection) -> Holder {
    if connection.is_ours {
        return Holder::Connection;
    }
    if connection.stream.is_unix()
        && let Ok(Some(pid)) = peer::pid(&connection.stream)
    {
        return Holder::Process(pid);
    }
    Holder::Anyone
}
