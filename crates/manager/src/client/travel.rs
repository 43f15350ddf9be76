//! Proxies in messages, in the form in which CPython pickles them.

use super::answer;
use super::error::ManagerError;
use super::manager::Manager;
use super::proxy::{Proxy, Typed};
use super::request;
use crate::transport::Address;
use procession_wire::message::{Payload, Token};
use procession_wire::value::{Class, Value};

const MODULE: &str = "multiprocessing.managers";

/// The class of CPython's proxies for a type of its `SyncManager`; for all others there is one that is told the methods.
fn class(typeid: &str) -> Option<&'static str> {
    Some(match typeid {
        "list" => "ListProxy",
        "dict" => "DictProxy",
        "Namespace" => "NamespaceProxy",
        "Value" => "ValueProxy",
        "Array" => "ArrayProxy",
        "Event" => "EventProxy",
        "Condition" => "ConditionProxy",
        "Barrier" => "BarrierProxy",
        "Lock" | "RLock" | "Semaphore" | "BoundedSemaphore" => "AcquirerProxy",
        _ => return None,
    })
}

/// An address as CPython has it.
fn as_value(address: &Address) -> Value {
    match address {
        Address::Tcp(host, port) => Value::Tuple(vec![host.as_str().into(), (*port).into()]),
        Address::Unix(path) => Value::Str(path.to_string_lossy().into_owned()),
        Address::Abstract(name) => Value::Bytes([b"\0", name.as_slice()].concat()),
    }
}

/// Whether a token's address can be that of the manager. A manager behind another name, or bound to all addresses of its
/// machine, calls its host otherwise than its clients do.
fn can_be(token: &Value, address: &Address) -> bool {
    match (token, as_value(address)) {
        (Value::Tuple(token), Value::Tuple(own)) => token.get(1) == own.get(1),
        (token, own) => *token == own,
    }
}

impl Proxy {
    /// The proxy as a payload, to be put into a queue or a list, or to be an argument: whoever takes it out has a proxy for
    /// the same object, in Python, too. A stock manager takes one of its own for that only if its clients call it by the
    /// address to which it is bound; CPython 3.8 cannot take one for a queue at all.
    ///
    /// The object has to have a reference until then: keep this proxy, or put it into a manager of ours, which pins what
    /// it stores.
    #[must_use]
    pub fn to_payload(&self) -> Payload {
        let token = Token {
            typeid: self.typeid().to_owned(),
            address: as_value(&self.shared().settings.address),
            id: self.id().to_owned(),
        };
        let exposed =
            || Value::Tuple(self.exposed().iter().map(|name| name.as_str().into()).collect());
        let (class, named) = match class(self.typeid()) {
            Some(class) => (class, Vec::new()),
            None => ("AutoProxy", vec![("exposed".into(), exposed())]),
        };
        let parts = vec![
            Class::new(MODULE, class).into(),
            token.to_value(),
            "pickle".into(),
            Value::Dict(named),
        ];
        Payload::of(&Value::call(MODULE, "RebuildProxy", parts))
    }
}

impl Manager {
    /// The first proxy in a payload, with a reference of its own. `None` if there is none.
    ///
    /// # Errors
    /// [`ManagerError::Elsewhere`] if it is for an object of another manager; [`ManagerError::Failed`] if the object is gone;
    /// [`ManagerError::OtherType`], [`ManagerError::Lost`].
    pub fn proxy_in<P: Typed>(&self, payload: &Payload) -> Result<Option<P>, ManagerError> {
        let Some(token) = payload.tokens().into_iter().next() else { return Ok(None) };
        let shared = self.shared();
        if !can_be(&token.address, self.address()) {
            return Err(ManagerError::Elsewhere {
                typeid: token.typeid,
                peer: shared.settings.peer.clone(),
                address: token.address.to_string(),
            });
        }
        let epoch = shared.epoch();
        let mut out = Vec::new();
        request::control(&mut out, "incref", (token.id.as_str(),))?;
        shared.home.ask(shared, &out, |answer| answer::done(shared, "incref", answer))?;
        out.clear();
        request::control(&mut out, "get_methods", vec![token.to_value()])?;
        let exposed =
            shared.home.ask(shared, &out, |answer| answer::list(shared, "get_methods", answer));
        let (exposed, failed) = match exposed {
            Ok(exposed) => (exposed, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        // The reference is counted: it is the proxy's from here on, whatever comes.
        let proxy = Proxy::counted(shared, epoch, &token.typeid, token.id, exposed);
        failed.map_or_else(|| P::from_proxy(proxy).map(Some), Err)
    }
}
