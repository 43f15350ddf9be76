//! Calls of objects over a serving connection, in the order of CPython's `serve_client`.

use super::connection::{Connection, Parked};
use super::engine::Engine;
use super::guest::Errand;
use super::ident::Ident;
use super::objects::{Host, Object};
use super::reply;
use super::status;
use crate::hosted::typeid::Type;
use crate::hosted::{Answer, Call, Fault, Hosted, Outcome, Turn, raise};
use crate::memory::offer::Offer;
use procession_wire::message::{Exception, Request, Token};
use procession_wire::value::Value;

/// What every object answers, exposed or not.
const ALWAYS: [&str; 3] = ["__str__", "__repr__", "#GETVALUE"];

/// A value of more than this is sent only if the store has room for it.
const LARGE: usize = 64 << 10;

impl Engine {
    /// One request over a serving connection.
    pub(super) fn request(&mut self, connection: &mut Connection, message: &[u8]) {
        let mut scanner = std::mem::take(&mut self.scanner);
        match scanner.request(message) {
            Ok(Request { ident: Some(ident), method, args, kwds }) => {
                let call = Call { method, args: &args, kwds: &kwds };
                self.call(connection, ident, &call, message);
            }
            Ok(request) if connection.is_ours => self.ask(connection, &request, message),
            Ok(_) => reply::traceback(connection, "KeyError: None"),
            Err(error) => reply::traceback(connection, &format!("ValueError: {error}")),
        }
        self.scanner = scanner;
    }

    fn call(&mut self, connection: &mut Connection, name: &str, call: &Call<'_>, message: &[u8]) {
        status::add(&self.words.calls, 1);
        let found =
            Ident::parse(name).and_then(|ident| Some((ident, self.objects.get_mut(ident)?)));
        let Some((ident, object)) = found else {
            return reply::traceback(connection, &format!("KeyError: '{name}'"));
        };
        let is_exposed = object.exposed.names().any(|exposed| exposed == call.method);
        if !is_exposed && !ALWAYS.contains(&call.method) {
            return self.refuse_method(connection, ident, call.method);
        }
        let Host::Own(hosted) = &mut object.host else {
            return self.call_guest(connection, ident, message, None);
        };
        let (owner, now, store) = (connection.owner, self.now, &self.store);
        let bells = self.offer.as_ref().map(Offer::bells);
        let mut turn = Turn { owner, now, store, bells, woken: &mut self.woken };
        let called = match call.method {
            _ if is_exposed => hosted.call(call, &mut turn),
            "#GETVALUE" => hosted.contents().map(Outcome::Done),
            _ => hosted.repr(name).map(|text| Outcome::from(Value::Str(text))),
        };
        if let Some(lock) = &object.lock {
            connection.has_lock(lock);
        }
        match called {
            Ok(Outcome::Done(answer)) => self.reply(connection, ident, answer),
            Ok(Outcome::Wait(deadline)) => {
                self.set_deadline(connection, deadline);
                self.park(connection, Parked::Own(ident));
            }
            Err(Fault::Raise(exception)) => self.raise(connection, exception),
            Err(Fault::NoMethod) => self.refuse_method(connection, ident, call.method),
            Err(Fault::Beyond(what)) => self.adopt(connection, ident, message, what),
        }
    }

    fn refuse_method(&self, connection: &mut Connection, ident: Ident, method: &str) {
        let Some(object) = self.objects.get(ident) else { return };
        let typeid = &object.typeid;
        let mut exposed: Vec<_> = object.exposed.names().collect();
        exposed.dedup();
        let text = format!(
            "AttributeError: method '{method}' of <class '{typeid}'> object is not in exposed={exposed:?}"
        );
        reply::traceback(connection, &text);
    }

    /// Has the guest host an object from here on, and carry out the call.
    fn adopt(
        &mut self,
        connection: &mut Connection,
        ident: Ident,
        message: &[u8],
        what: &'static str,
    ) {
        let contents = match self.objects.get_mut(ident) {
            // What clients use in the arena cannot be moved away from under them.
            Some(object) if self.desk.is_some() && !object.is_shared() => match &object.host {
                Host::Own(hosted) => hosted.contents(),
                Host::Guest => Err(Fault::Beyond(what)),
            },
            _ => Err(Fault::Beyond(what)),
        };
        let kind = self.objects.get(ident).and_then(|object| object.typeid.parse::<Type>().ok());
        let (Ok(Answer::Value(contents)), Some(kind)) = (contents, kind) else {
            return self.raise(connection, beyond(what));
        };
        let contents = reply::message(&contents);
        self.tell_guest(Errand::Adopt { ident: ident.to_string(), kind, contents });
        let Some(object) = self.objects.get_mut(ident) else { return };
        match std::mem::replace(&mut object.host, Host::Guest) {
            Host::Own(hosted) => self.call_guest(connection, ident, message, Some(hosted)),
            Host::Guest => {}
        }
    }

    /// Hands a call over to the guest. What it adopts by this is kept until it answers: it has counted its own references to
    /// the objects in it then.
    fn call_guest(
        &mut self,
        connection: &mut Connection,
        ident: Ident,
        message: &[u8],
        adopted: Option<Box<dyn Hosted>>,
    ) {
        let errand = Errand::Call {
            connection: connection.owner,
            ident: ident.to_string(),
            request: message.to_vec(),
        };
        self.send_guest(connection, errand, Parked::Guest { ident: Some(ident), adopted });
    }

    /// Writes a reply to a call of that object.
    pub(super) fn reply(&mut self, connection: &mut Connection, ident: Ident, answer: Answer) {
        self.lend(connection);
        match answer {
            Answer::Value(value) => self.reply_value(connection, &value),
            Answer::Raise(exception) => reply::exception(connection, &exception),
            Answer::Unserializable(why) => reply::unserializable(connection, why),
            Answer::Payload(kept) => {
                connection.output.payload(&kept);
                if kept.pins() {
                    connection.hand.push(kept);
                }
            }
            Answer::Item(kept) => {
                connection.output.payload(&kept);
                connection.output.carries(ident, kept);
            }
            Answer::Proxy(typeid, hosted) => self.reply_proxy(connection, typeid, hosted),
        }
    }

    /// A value that the server makes, of many payloads perhaps, takes memory of its own.
    fn reply_value(&self, connection: &mut Connection, value: &Value) {
        let before = connection.output.bytes().len();
        reply::value(connection, value);
        let bytes = connection.output.bytes();
        let length = bytes.len() - before;
        if length > LARGE
            && let Err(full) = self.store.has_room(length, 1)
        {
            bytes.truncate(before);
            reply::exception(connection, &full);
        }
    }

    fn reply_proxy(
        &mut self,
        connection: &mut Connection,
        typeid: &'static str,
        hosted: Box<dyn Hosted>,
    ) {
        let object = Object::own(typeid.into(), hosted);
        let exposed = object.exposed.clone();
        let ident = self.objects.insert(object);
        self.count_reference(connection, ident);
        let token =
            Token { typeid: typeid.into(), address: self.address.clone(), id: ident.to_string() };
        reply::proxy(connection, &exposed, &token);
    }

    /// Has the client raise an exception.
    pub(super) fn raise(&mut self, connection: &mut Connection, exception: Exception) {
        self.lend(connection);
        reply::exception(connection, &exception);
    }
}

/// What opaque bytes cannot do.
pub(super) fn beyond(what: &str) -> Exception {
    raise::type_error(format!(
        "{what} needs to understand the objects, which this server keeps as opaque bytes: plain data works \
         (None, bool, int, float, str, bytes and containers of them)"
    ))
}
